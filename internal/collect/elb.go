package collect

func elbKinds() []kind { return nil }
