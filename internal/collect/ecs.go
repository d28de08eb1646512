package collect

func ecsKinds() []kind { return nil }
