package collect

func cloudfrontKinds() []kind { return nil }
