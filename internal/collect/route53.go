package collect

func route53Kinds() []kind { return nil }
