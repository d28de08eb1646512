package collect

func elasticbeanstalkKinds() []kind { return nil }
