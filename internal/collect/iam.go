package collect

func iamKinds() []kind { return nil }
