package collect

func acmKinds() []kind { return nil }
