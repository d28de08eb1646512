package collect

func efsKinds() []kind { return nil }
