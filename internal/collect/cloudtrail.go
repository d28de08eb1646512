package collect

func cloudtrailKinds() []kind { return nil }
