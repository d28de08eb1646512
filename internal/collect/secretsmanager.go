package collect

func secretsmanagerKinds() []kind { return nil }
