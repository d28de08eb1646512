package collect

func kmsKinds() []kind { return nil }
