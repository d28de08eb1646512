package collect

func cloudformationKinds() []kind { return nil }
