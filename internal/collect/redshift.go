package collect

func redshiftKinds() []kind { return nil }
