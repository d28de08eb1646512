package collect

func lambdaKinds() []kind { return nil }
