package collect

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	autoscalingtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	ekstypes "github.com/aws/aws-sdk-go-v2/service/eks/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbv2types "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

const day = 24 * time.Hour

func userData() *string {
	return aws.String(base64.StdEncoding.EncodeToString([]byte("export PASSWORD=" + seedSecret)))
}

func (s *seeder) ec2() *ec2.Client { return ec2.NewFromConfig(s.config) }

// image makes an image, from which instances can be started.
func (s *seeder) image() *string {
	return made(s.ec2().RegisterImage(s.Context(), &ec2.RegisterImageInput{
		Name: aws.String("base"), Architecture: "x86_64", RootDeviceName: aws.String("/dev/sda1"), VirtualizationType: aws.String("hvm"),
	})).ImageId
}

// network makes a VPC with two subnets.
func (s *seeder) network() (vpc *string, subnets []string) {
	vpc = made(s.ec2().CreateVpc(s.Context(), &ec2.CreateVpcInput{CidrBlock: aws.String("10.7.0.0/16")})).Vpc.VpcId
	for i, zone := range []string{"eu-west-1a", "eu-west-1b"} {
		block := fmt.Sprintf("10.7.%d.0/24", i+1)
		subnets = append(subnets, *made(s.ec2().CreateSubnet(s.Context(), &ec2.CreateSubnetInput{VpcId: vpc, CidrBlock: &block, AvailabilityZone: &zone})).Subnet.SubnetId)
	}
	return vpc, subnets
}

func seedEC2(s *seeder) {
	vpc, subnets := s.network()
	s.seedGateways(vpc, subnets[0])
	s.seedVPN(vpc)
	s.seedMachines(vpc, subnets[0])
}

func (s *seeder) seedGateways(vpc *string, subnet string) {
	client, ctx := s.ec2(), s.Context()
	internet := made(client.CreateInternetGateway(ctx, &ec2.CreateInternetGatewayInput{})).InternetGateway.InternetGatewayId
	made(client.AttachInternetGateway(ctx, &ec2.AttachInternetGatewayInput{InternetGatewayId: internet, VpcId: vpc}))
	address := made(client.AllocateAddress(ctx, &ec2.AllocateAddressInput{Domain: ec2types.DomainTypeVpc}))
	made(client.AllocateAddress(ctx, &ec2.AllocateAddressInput{Domain: ec2types.DomainTypeVpc}))
	nat := made(client.CreateNatGateway(ctx, &ec2.CreateNatGatewayInput{SubnetId: &subnet, AllocationId: address.AllocationId})).NatGateway.NatGatewayId
	s.measure("AWS/NATGateway", "BytesInFromSource", "NatGatewayId", *nat, map[time.Duration]float64{day: 1000, 2 * day: 500})
	made(client.CreateVpcEndpoint(ctx, &ec2.CreateVpcEndpointInput{VpcId: vpc, ServiceName: aws.String("com.amazonaws.eu-west-1.s3"), VpcEndpointType: ec2types.VpcEndpointTypeGateway}))
	made(client.CreateVpcEndpoint(ctx, &ec2.CreateVpcEndpointInput{
		VpcId: vpc, ServiceName: aws.String("com.amazonaws.eu-west-1.ec2"), VpcEndpointType: ec2types.VpcEndpointTypeInterface, SubnetIds: []string{subnet},
	}))
	peer := made(client.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.8.0.0/16")})).Vpc.VpcId
	peering := made(client.CreateVpcPeeringConnection(ctx, &ec2.CreateVpcPeeringConnectionInput{VpcId: vpc, PeerVpcId: peer})).VpcPeeringConnection
	made(client.AcceptVpcPeeringConnection(ctx, &ec2.AcceptVpcPeeringConnectionInput{VpcPeeringConnectionId: peering.VpcPeeringConnectionId}))
	made(client.CreateTransitGateway(ctx, &ec2.CreateTransitGatewayInput{Description: aws.String("all offices")}))
	seedBuckets(s, "flow-logs")
	made(client.CreateFlowLogs(ctx, &ec2.CreateFlowLogsInput{
		ResourceIds: []string{*vpc}, ResourceType: ec2types.FlowLogsResourceTypeVpc, TrafficType: ec2types.TrafficTypeAll,
		LogDestinationType: ec2types.LogDestinationTypeS3, LogDestination: aws.String("arn:aws:s3:::flow-logs"),
	}))
}

func (s *seeder) seedVPN(vpc *string) {
	client, ctx := s.ec2(), s.Context()
	gateway := made(client.CreateVpnGateway(ctx, &ec2.CreateVpnGatewayInput{Type: ec2types.GatewayTypeIpsec1})).VpnGateway.VpnGatewayId
	made(client.AttachVpnGateway(ctx, &ec2.AttachVpnGatewayInput{VpcId: vpc, VpnGatewayId: gateway}))
	customer := made(client.CreateCustomerGateway(ctx, &ec2.CreateCustomerGatewayInput{
		Type: ec2types.GatewayTypeIpsec1, BgpAsn: aws.Int32(65000), IpAddress: aws.String("192.0.2.9"),
	})).CustomerGateway.CustomerGatewayId
	made(client.CreateVpnConnection(ctx, &ec2.CreateVpnConnectionInput{Type: aws.String("ipsec.1"), CustomerGatewayId: customer, VpnGatewayId: gateway}))
}

func (s *seeder) seedMachines(vpc *string, subnet string) {
	client, ctx := s.ec2(), s.Context()
	image := s.image()
	group := made(client.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{GroupName: aws.String("web"), Description: aws.String("web"), VpcId: vpc})).GroupId
	made(client.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: group, IpPermissions: []ec2types.IpPermission{
		{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(22), ToPort: aws.Int32(22), IpRanges: []ec2types.IpRange{{CidrIp: aws.String("0.0.0.0/0"), Description: aws.String("everybody")}}},
		{IpProtocol: aws.String("-1"), UserIdGroupPairs: []ec2types.UserIdGroupPair{{GroupId: group}}},
	}}))
	made(client.CreateNetworkInterface(ctx, &ec2.CreateNetworkInterfaceInput{SubnetId: &subnet, Groups: []string{*group}}))

	run := made(client.RunInstances(ctx, &ec2.RunInstancesInput{
		ImageId: image, MinCount: aws.Int32(2), MaxCount: aws.Int32(2), InstanceType: ec2types.InstanceTypeM5Large, SubnetId: &subnet, SecurityGroupIds: []string{*group},
		UserData: userData(), TagSpecifications: []ec2types.TagSpecification{{ResourceType: "instance", Tags: []ec2types.Tag{{Key: aws.String("Name"), Value: aws.String("web")}}}},
	}))
	running, stopped := *run.Instances[0].InstanceId, *run.Instances[1].InstanceId
	made(client.StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: []string{stopped}}))
	s.measure("AWS/EC2", "CPUUtilization", "InstanceId", running, map[time.Duration]float64{day: 4, day - time.Hour: 6, 3 * day: 2})
	s.measure("AWS/EC2", "NetworkIn", "InstanceId", running, map[time.Duration]float64{day: 1024, day - time.Hour: 1024})

	magnetic := made(client.CreateVolume(ctx, &ec2.CreateVolumeInput{AvailabilityZone: aws.String("eu-west-1a"), Size: aws.Int32(8), VolumeType: ec2types.VolumeTypeStandard})).VolumeId
	made(client.AttachVolume(ctx, &ec2.AttachVolumeInput{VolumeId: magnetic, InstanceId: &running, Device: aws.String("/dev/sdf")}))
	s.measure("AWS/EBS", "VolumeReadOps", "VolumeId", *magnetic, map[time.Duration]float64{day: 7200, 2 * day: 3600})
	s.measure("AWS/EBS", "VolumeWriteBytes", "VolumeId", *magnetic, map[time.Duration]float64{20 * time.Hour: 3e9})
	free := made(client.CreateVolume(ctx, &ec2.CreateVolumeInput{
		AvailabilityZone: aws.String("eu-west-1b"), Size: aws.Int32(100), VolumeType: ec2types.VolumeTypeGp3, Encrypted: aws.Bool(true),
	})).VolumeId
	public := made(client.CreateSnapshot(ctx, &ec2.CreateSnapshotInput{VolumeId: magnetic})).SnapshotId
	made(client.CreateSnapshot(ctx, &ec2.CreateSnapshotInput{VolumeId: free}))
	made(client.ModifySnapshotAttribute(ctx, &ec2.ModifySnapshotAttributeInput{
		SnapshotId: public, Attribute: ec2types.SnapshotAttributeNameCreateVolumePermission, OperationType: ec2types.OperationTypeAdd, GroupNames: []string{"all"},
	}))
	made(client.EnableEbsEncryptionByDefault(ctx, &ec2.EnableEbsEncryptionByDefaultInput{}))
	s.launchTemplate(image)
}

// launchTemplate makes a template with two versions.
func (s *seeder) launchTemplate(image *string) *string {
	client, ctx := s.ec2(), s.Context()
	t := made(client.CreateLaunchTemplate(ctx, &ec2.CreateLaunchTemplateInput{LaunchTemplateName: aws.String("web"), LaunchTemplateData: &ec2types.RequestLaunchTemplateData{
		ImageId: image, InstanceType: ec2types.InstanceTypeM5Large, UserData: userData(),
		MetadataOptions: &ec2types.LaunchTemplateInstanceMetadataOptionsRequest{HttpTokens: "required"},
	}})).LaunchTemplate.LaunchTemplateId
	made(client.CreateLaunchTemplateVersion(ctx, &ec2.CreateLaunchTemplateVersionInput{LaunchTemplateId: t, LaunchTemplateData: &ec2types.RequestLaunchTemplateData{
		ImageId: aws.String("resolve:ssm:/images/web"), InstanceType: ec2types.InstanceTypeT3Micro,
	}}))
	return t
}

func seedAutoScaling(s *seeder) {
	client, ctx := autoscaling.NewFromConfig(s.config), s.Context()
	image := s.image()
	_, subnets := s.network()
	made(client.CreateLaunchConfiguration(ctx, &autoscaling.CreateLaunchConfigurationInput{
		LaunchConfigurationName: aws.String("old"), ImageId: image, InstanceType: aws.String("m5.large"), UserData: userData(),
	}))
	made(client.CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("old"), LaunchConfigurationName: aws.String("old"), MinSize: aws.Int32(0), MaxSize: aws.Int32(2), VPCZoneIdentifier: &subnets[0],
	}))
	made(client.CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("web"), MinSize: aws.Int32(1), MaxSize: aws.Int32(2), VPCZoneIdentifier: aws.String(subnets[0] + "," + subnets[1]),
		LaunchTemplate: &autoscalingtypes.LaunchTemplateSpecification{LaunchTemplateId: s.launchTemplate(image), Version: aws.String("1")},
	}))
}

func seedECR(s *seeder) {
	client, ctx := ecr.NewFromConfig(s.config), s.Context()
	for _, name := range []string{"shop/web", "tools"} {
		made(client.CreateRepository(ctx, &ecr.CreateRepositoryInput{RepositoryName: &name}))
	}
	made(client.PutLifecyclePolicy(ctx, &ecr.PutLifecyclePolicyInput{RepositoryName: aws.String("tools"), LifecyclePolicyText: aws.String(
		`{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"imageCountMoreThan","countNumber":1},"action":{"type":"expire"}}]}`)}))
	made(client.PutRegistryScanningConfiguration(ctx, &ecr.PutRegistryScanningConfigurationInput{Rules: []ecrtypes.RegistryScanningRule{{
		ScanFrequency: ecrtypes.ScanFrequencyScanOnPush, RepositoryFilters: []ecrtypes.ScanningRepositoryFilter{{Filter: aws.String("shop/*"), FilterType: "WILDCARD"}},
	}}}))
}

func seedECS(s *seeder) {
	client, ctx := ecs.NewFromConfig(s.config), s.Context()
	vpc, subnets := s.network()
	group := made(s.ec2().CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{GroupName: aws.String("web"), Description: aws.String("web"), VpcId: vpc})).GroupId
	made(client.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: aws.String("shop"), Settings: []ecstypes.ClusterSetting{{Name: "containerInsights", Value: aws.String("enabled")}}}))
	made(client.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: aws.String("empty")}))
	for range 2 {
		made(client.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
			Family: aws.String("web"), NetworkMode: "awsvpc", RequiresCompatibilities: []ecstypes.Compatibility{"FARGATE"}, Cpu: aws.String("256"), Memory: aws.String("512"),
			ContainerDefinitions: []ecstypes.ContainerDefinition{{
				Name: aws.String("web"), Image: aws.String("shop/web:1"), Memory: aws.Int32(128), Privileged: aws.Bool(false), ReadonlyRootFilesystem: aws.Bool(true),
				Environment:      []ecstypes.KeyValuePair{{Name: aws.String("PASSWORD"), Value: aws.String(seedSecret)}},
				LogConfiguration: &ecstypes.LogConfiguration{LogDriver: "splunk", Options: map[string]string{"splunk-token": seedSecret, "mode": "non-blocking"}},
			}},
		}))
	}
	network := &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{Subnets: subnets, SecurityGroups: []string{*group}, AssignPublicIp: "ENABLED"}}
	made(client.CreateService(ctx, &ecs.CreateServiceInput{
		Cluster: aws.String("shop"), ServiceName: aws.String("web"), TaskDefinition: aws.String("web"), DesiredCount: aws.Int32(1), LaunchType: "FARGATE", NetworkConfiguration: network,
	}))
	made(client.PutAccountSetting(ctx, &ecs.PutAccountSettingInput{Name: "containerInsights", Value: aws.String("enabled")}))
}

func seedEKS(s *seeder) {
	_, subnets := s.network()
	made(eks.NewFromConfig(s.config).CreateCluster(s.Context(), &eks.CreateClusterInput{
		Name: aws.String("shop"), Version: aws.String("1.31"), RoleArn: aws.String("arn:aws:iam::123456789012:role/eks"),
		ResourcesVpcConfig: &ekstypes.VpcConfigRequest{SubnetIds: subnets, EndpointPublicAccess: aws.Bool(true), PublicAccessCidrs: []string{"0.0.0.0/0"}},
	}))
}

func seedBeanstalk(s *seeder) {
	client := elasticbeanstalk.NewFromConfig(s.config)
	made(client.CreateApplication(s.Context(), &elasticbeanstalk.CreateApplicationInput{ApplicationName: aws.String("shop")}))
	made(client.CreateEnvironment(s.Context(), &elasticbeanstalk.CreateEnvironmentInput{
		ApplicationName: aws.String("shop"), EnvironmentName: aws.String("live"), SolutionStackName: aws.String("64bit Amazon Linux 2023 v4.3.0 running Python 3.11"),
	}))
}

func seedELB(s *seeder) {
	client, ctx := elb.NewFromConfig(s.config), s.Context()
	_, subnets := s.network()
	run := made(s.ec2().RunInstances(ctx, &ec2.RunInstancesInput{ImageId: s.image(), MinCount: aws.Int32(1), MaxCount: aws.Int32(1), InstanceType: ec2types.InstanceTypeT3Micro}))
	listener := elbtypes.Listener{Protocol: aws.String("HTTP"), LoadBalancerPort: 80, InstanceProtocol: aws.String("HTTP"), InstancePort: aws.Int32(8080)}
	name := aws.String("shop")
	made(client.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{LoadBalancerName: name, Subnets: subnets, Listeners: []elbtypes.Listener{listener}}))
	made(client.RegisterInstancesWithLoadBalancer(ctx, &elb.RegisterInstancesWithLoadBalancerInput{LoadBalancerName: name, Instances: []elbtypes.Instance{{InstanceId: run.Instances[0].InstanceId}}}))
	made(client.ModifyLoadBalancerAttributes(ctx, &elb.ModifyLoadBalancerAttributesInput{LoadBalancerName: name, LoadBalancerAttributes: &elbtypes.LoadBalancerAttributes{
		CrossZoneLoadBalancing: &elbtypes.CrossZoneLoadBalancing{Enabled: true}, ConnectionDraining: &elbtypes.ConnectionDraining{Enabled: true, Timeout: aws.Int32(60)},
	}}))
	made(client.CreateLoadBalancerPolicy(ctx, &elb.CreateLoadBalancerPolicyInput{
		LoadBalancerName: name, PolicyName: aws.String("tls"), PolicyTypeName: aws.String("SSLNegotiationPolicyType"),
		PolicyAttributes: []elbtypes.PolicyAttribute{{AttributeName: aws.String("Protocol-TLSv1.2"), AttributeValue: aws.String("true")}},
	}))
	made(client.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{LoadBalancerName: aws.String("idle"), AvailabilityZones: []string{"eu-west-1a"}, Listeners: []elbtypes.Listener{listener}}))
	s.measure("AWS/ELB", "RequestCount", "LoadBalancerName", "shop", map[time.Duration]float64{day: 100, 2 * day: 40, 9 * day: 7})
}

func seedELBv2(s *seeder) {
	client, ctx := elbv2.NewFromConfig(s.config), s.Context()
	vpc, subnets := s.network()
	balancer := made(client.CreateLoadBalancer(ctx, &elbv2.CreateLoadBalancerInput{Name: aws.String("shop"), Subnets: subnets})).LoadBalancers[0].LoadBalancerArn
	made(client.CreateLoadBalancer(ctx, &elbv2.CreateLoadBalancerInput{Name: aws.String("wire"), Type: elbv2types.LoadBalancerTypeEnumNetwork, Subnets: subnets}))
	group := made(client.CreateTargetGroup(ctx, &elbv2.CreateTargetGroupInput{
		Name: aws.String("web"), Protocol: "HTTP", Port: aws.Int32(80), VpcId: vpc, TargetType: elbv2types.TargetTypeEnumIp, HealthCheckPath: aws.String("/"),
	})).TargetGroups[0].TargetGroupArn
	made(client.RegisterTargets(ctx, &elbv2.RegisterTargetsInput{TargetGroupArn: group, Targets: []elbv2types.TargetDescription{{Id: aws.String("10.7.1.9"), Port: aws.Int32(80)}}}))
	forward := []elbv2types.Action{{Type: elbv2types.ActionTypeEnumForward, TargetGroupArn: group}}
	listener := made(client.CreateListener(ctx, &elbv2.CreateListenerInput{LoadBalancerArn: balancer, Protocol: "HTTP", Port: aws.Int32(80), DefaultActions: forward})).Listeners[0].ListenerArn
	made(client.CreateRule(ctx, &elbv2.CreateRuleInput{
		ListenerArn: listener, Priority: aws.Int32(10), Actions: forward,
		Conditions: []elbv2types.RuleCondition{{Field: aws.String("path-pattern"), Values: []string{"/images/*"}}},
	}))
	made(client.ModifyLoadBalancerAttributes(ctx, &elbv2.ModifyLoadBalancerAttributesInput{LoadBalancerArn: balancer, Attributes: []elbv2types.LoadBalancerAttribute{
		{Key: aws.String("deletion_protection.enabled"), Value: aws.String("true")},
	}}))
}

func seedLambda(s *seeder) {
	client, ctx := lambda.NewFromConfig(s.config), s.Context()
	role := made(iam.NewFromConfig(s.config).CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: aws.String("function"), AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[]}`),
	})).Role.Arn
	var code bytes.Buffer
	archive := zip.NewWriter(&code)
	_ = made(made(archive.Create("main.py")).Write([]byte("def handler(event, context): pass\n")))
	if err := archive.Close(); err != nil {
		s.Fatal(err)
	}
	for _, name := range []string{"orders", "reports"} {
		made(client.CreateFunction(ctx, &lambda.CreateFunctionInput{
			FunctionName: &name, Runtime: lambdatypes.RuntimePython312, Handler: aws.String("main.handler"), Role: role, Code: &lambdatypes.FunctionCode{ZipFile: code.Bytes()},
			Environment: &lambdatypes.Environment{Variables: map[string]string{"PASSWORD": seedSecret}},
		}))
	}
	name := aws.String("orders")
	made(client.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: name}))
	made(client.AddPermission(ctx, &lambda.AddPermissionInput{
		FunctionName: name, StatementId: aws.String("events"), Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("events.amazonaws.com"),
		SourceArn: aws.String("arn:aws:events:eu-west-1:123456789012:rule/nightly"),
	}))
	made(client.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: name, ReservedConcurrentExecutions: aws.Int32(5)}))
	s.measure("AWS/Lambda", "Invocations", "FunctionName", "orders", map[time.Duration]float64{day: 10, 2 * day: 20})
	s.measure("AWS/Lambda", "Errors", "FunctionName", "orders", map[time.Duration]float64{day: 3})
}
