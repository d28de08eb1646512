package collect

func sesKinds() []kind { return nil }
