package collect

func servicequotasKinds() []kind { return nil }
