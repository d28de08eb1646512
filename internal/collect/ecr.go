package collect

func ecrKinds() []kind { return nil }
