package collect

func opensearchKinds() []kind { return nil }
