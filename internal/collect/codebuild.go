package collect

func codebuildKinds() []kind { return nil }
