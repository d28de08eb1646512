package collect

func elasticsearchKinds() []kind { return nil }
