package collect

func elbv2Kinds() []kind { return nil }
