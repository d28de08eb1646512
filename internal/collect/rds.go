package collect

func rdsKinds() []kind { return nil }
