package collect

func elasticacheKinds() []kind { return nil }
