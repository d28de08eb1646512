package collect

func autoscalingKinds() []kind { return nil }
