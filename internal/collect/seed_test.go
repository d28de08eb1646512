package collect

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	apigatewayv2types "github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cloudformationtypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	cloudfronttypes "github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	cloudtrailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	codebuildtypes "github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	route53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ses"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// seeds make a few resources of each service.
func seeds() map[string]func(*seeder) {
	return map[string]func(*seeder){
		"acm": seedACM, "apigateway": seedAPIGateway, "apigatewayv2": seedAPIGatewayV2, "autoscaling": seedAutoScaling,
		"cloudformation": seedCloudFormation, "cloudfront": seedCloudFront, "cloudtrail": seedCloudTrail, "cloudwatch": seedCloudWatch, "codebuild": seedCodeBuild,
		"directconnect": seedNothing, "dynamodb": seedDynamoDB, "ec2": seedEC2, "ecr": seedECR, "ecs": seedECS, "efs": seedEFS,
		"eks": seedEKS, "elasticache": seedElastiCache, "elasticbeanstalk": seedBeanstalk, "elasticsearch": seedElasticsearch,
		"elb": seedELB, "elbv2": seedELBv2, "iam": seedIAM, "kinesis": seedKinesis, "kms": seedKMS, "lambda": seedLambda,
		"opensearch": seedOpenSearch, "rds": seedRDS, "redshift": seedRedshift, "route53": seedRoute53, "s3": seedS3,
		"secretsmanager": seedSecretsManager, "servicequotas": seedNothing, "ses": seedSES, "sns": seedSNS, "sqs": seedSQS, "sts": seedNothing,
	}
}

func seedNothing(*seeder) {}

// measure puts values of a metric, each so long before the collection.
func (s *seeder) measure(namespace, name, dimension, of string, values map[time.Duration]float64) {
	client := cloudwatch.NewFromConfig(s.config)
	for ago, v := range values {
		made(client.PutMetricData(s.Context(), &cloudwatch.PutMetricDataInput{Namespace: &namespace, MetricData: []cloudwatchtypes.MetricDatum{{
			MetricName: &name, Timestamp: aws.Time(at().Add(-ago)), Value: &v,
			Dimensions: []cloudwatchtypes.Dimension{{Name: &dimension, Value: &of}},
		}}}))
	}
}

func seedCloudWatch(s *seeder) {
	client := cloudwatch.NewFromConfig(s.config)
	for _, action := range []string{"arn:aws:sns:eu-west-1:123456789012:alarms", "arn:aws:automate:eu-west-1:ec2:recover"} {
		made(client.PutMetricAlarm(s.Context(), &cloudwatch.PutMetricAlarmInput{
			AlarmName: aws.String(action[strings.LastIndex(action, ":")+1:]), AlarmActions: []string{action}, ActionsEnabled: aws.Bool(true), Namespace: aws.String("AWS/EC2"), MetricName: aws.String("CPUUtilization"),
			Statistic: cloudwatchtypes.StatisticAverage, Period: aws.Int32(300), EvaluationPeriods: aws.Int32(2), Threshold: aws.Float64(90),
			ComparisonOperator: cloudwatchtypes.ComparisonOperatorGreaterThanThreshold,
			Dimensions:         []cloudwatchtypes.Dimension{{Name: aws.String("InstanceId"), Value: aws.String("i-7717713daf3405dff")}},
		}))
	}
}

func seedACM(s *seeder) {
	client := acm.NewFromConfig(s.config)
	made(client.RequestCertificate(s.Context(), &acm.RequestCertificateInput{
		DomainName: aws.String("shop.example.com"), SubjectAlternativeNames: []string{"www.shop.example.com"}, ValidationMethod: "DNS",
	}))
	body, key := certificate("imported.example.com")
	made(client.ImportCertificate(s.Context(), &acm.ImportCertificateInput{Certificate: body, PrivateKey: key}))
}

// certificate returns a certificate that is signed with its own key, and the key.
func certificate(name string) (body, key []byte) {
	pair := made(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: name, Organization: []string{"Example"}}, DNSNames: []string{name},
		NotBefore: at().Add(-time.Hour), NotAfter: at().AddDate(10, 0, 0),
	}
	der := made(x509.CreateCertificate(rand.Reader, template, template, &pair.PublicKey, pair))
	text := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	return text("CERTIFICATE", der), text("PRIVATE KEY", made(x509.MarshalPKCS8PrivateKey(pair)))
}

func seedAPIGateway(s *seeder) {
	client := apigateway.NewFromConfig(s.config)
	api := made(client.CreateRestApi(s.Context(), &apigateway.CreateRestApiInput{Name: aws.String("orders")}))
	root := made(client.GetResources(s.Context(), &apigateway.GetResourcesInput{RestApiId: api.Id})).Items[0].Id
	made(client.PutMethod(s.Context(), &apigateway.PutMethodInput{RestApiId: api.Id, ResourceId: root, HttpMethod: aws.String("GET"), AuthorizationType: aws.String("NONE")}))
	made(client.PutIntegration(s.Context(), &apigateway.PutIntegrationInput{
		RestApiId: api.Id, ResourceId: root, HttpMethod: aws.String("GET"), Type: "HTTP", Uri: aws.String("http://example.com"), IntegrationHttpMethod: aws.String("GET"),
	}))
	deployment := made(client.CreateDeployment(s.Context(), &apigateway.CreateDeploymentInput{RestApiId: api.Id}))
	made(client.CreateStage(s.Context(), &apigateway.CreateStageInput{
		RestApiId: api.Id, StageName: aws.String("live"), DeploymentId: deployment.Id, TracingEnabled: true, Variables: map[string]string{"password": seedSecret},
	}))
	made(client.CreateRestApi(s.Context(), &apigateway.CreateRestApiInput{Name: aws.String("without-stages")}))
}

func seedAPIGatewayV2(s *seeder) {
	client := apigatewayv2.NewFromConfig(s.config)
	api := made(client.CreateApi(s.Context(), &apigatewayv2.CreateApiInput{Name: aws.String("carts"), ProtocolType: apigatewayv2types.ProtocolTypeHttp}))
	made(client.CreateStage(s.Context(), &apigatewayv2.CreateStageInput{
		ApiId: api.ApiId, StageName: aws.String("live"), StageVariables: map[string]string{"password": seedSecret},
	}))
	made(client.CreateRoute(s.Context(), &apigatewayv2.CreateRouteInput{ApiId: api.ApiId, RouteKey: aws.String("GET /carts")}))
	made(client.CreateRoute(s.Context(), &apigatewayv2.CreateRouteInput{
		ApiId: api.ApiId, RouteKey: aws.String("POST /carts"), AuthorizationType: apigatewayv2types.AuthorizationTypeAwsIam,
	}))
	made(client.CreateApi(s.Context(), &apigatewayv2.CreateApiInput{
		Name: aws.String("chat"), ProtocolType: apigatewayv2types.ProtocolTypeWebsocket, RouteSelectionExpression: aws.String("$request.body.action"),
	}))
}

func seedCloudFormation(s *seeder) {
	client := cloudformation.NewFromConfig(s.config)
	made(client.CreateStack(s.Context(), &cloudformation.CreateStackInput{
		StackName: aws.String("database"), Parameters: []cloudformationtypes.Parameter{{ParameterKey: aws.String("Password"), ParameterValue: aws.String(seedSecret)}},
		TemplateBody: aws.String(`{"Parameters":{"Password":{"Type":"String"}},"Resources":{"Wait":{"Type":"AWS::CloudFormation::WaitConditionHandle"}}}`),
	}))
	// moto answers stacks in pages of 50.
	for i := range 50 {
		input := &cloudformation.CreateStackInput{
			StackName: aws.String("stack-" + strconv.Itoa(i)), TemplateBody: aws.String(`{"Resources":{"Wait":{"Type":"AWS::CloudFormation::WaitConditionHandle"}}}`),
		}
		made(client.CreateStack(s.Context(), input))
	}
}

func seedCloudFront(s *seeder) {
	client := cloudfront.NewFromConfig(s.config)
	seedBuckets(s, "origin-is-there")
	origin := func(id, domain string) cloudfronttypes.Origin {
		return cloudfronttypes.Origin{Id: &id, DomainName: &domain, S3OriginConfig: &cloudfronttypes.S3OriginConfig{OriginAccessIdentity: aws.String("")}, CustomHeaders: &cloudfronttypes.CustomHeaders{
			Quantity: aws.Int32(1), Items: []cloudfronttypes.OriginCustomHeader{{HeaderName: aws.String("X-Origin-Password"), HeaderValue: aws.String(seedSecret)}},
		}}
	}
	forwarded := &cloudfronttypes.ForwardedValues{
		QueryString: aws.Bool(false), Cookies: &cloudfronttypes.CookiePreference{Forward: "none"},
		Headers: &cloudfronttypes.Headers{Quantity: aws.Int32(1), Items: []string{"*"}},
	}
	made(client.CreateDistribution(s.Context(), &cloudfront.CreateDistributionInput{DistributionConfig: &cloudfronttypes.DistributionConfig{
		CallerReference: aws.String("one"), Comment: aws.String("shop"), Enabled: aws.Bool(true), DefaultRootObject: aws.String("index.html"),
		Aliases: &cloudfronttypes.Aliases{Quantity: aws.Int32(1), Items: []string{"shop.example.com"}},
		Origins: &cloudfronttypes.Origins{Quantity: aws.Int32(2), Items: []cloudfronttypes.Origin{
			origin("a", "origin-is-there.s3.eu-west-1.amazonaws.com"), origin("b", "origin-is-gone.s3.amazonaws.com"),
		}},
		DefaultCacheBehavior: &cloudfronttypes.DefaultCacheBehavior{
			TargetOriginId: aws.String("a"), ViewerProtocolPolicy: "redirect-to-https",
			//lint:ignore SA1019 behaviors without a cache policy still have their headers there
			ForwardedValues: forwarded, MinTTL: aws.Int64(0),
		},
		CacheBehaviors: &cloudfronttypes.CacheBehaviors{Quantity: aws.Int32(1), Items: []cloudfronttypes.CacheBehavior{{
			PathPattern: aws.String("/images/*"), TargetOriginId: aws.String("b"), ViewerProtocolPolicy: "allow-all",
			CachePolicyId: aws.String("658327ea-f89d-4fab-a63d-7e88639e58f6"),
		}}},
	}}))
}

func seedCloudTrail(s *seeder) {
	client := cloudtrail.NewFromConfig(s.config)
	seedBuckets(s, "trails")
	made(client.CreateTrail(s.Context(), &cloudtrail.CreateTrailInput{Name: aws.String("everywhere"), S3BucketName: aws.String("trails"), IsMultiRegionTrail: aws.Bool(true)}))
	made(client.StartLogging(s.Context(), &cloudtrail.StartLoggingInput{Name: aws.String("everywhere")}))
	made(client.PutEventSelectors(s.Context(), &cloudtrail.PutEventSelectorsInput{TrailName: aws.String("everywhere"), EventSelectors: []cloudtrailtypes.EventSelector{{
		ReadWriteType: cloudtrailtypes.ReadWriteTypeWriteOnly, IncludeManagementEvents: aws.Bool(true),
		DataResources: []cloudtrailtypes.DataResource{{Type: aws.String(s3Object), Values: []string{"arn:aws:s3"}}},
	}}}))
	made(client.CreateTrail(s.Context(), &cloudtrail.CreateTrailInput{Name: aws.String("stopped"), S3BucketName: aws.String("trails")}))
}

func seedCodeBuild(s *seeder) {
	client := codebuild.NewFromConfig(s.config)
	made(client.CreateProject(s.Context(), &codebuild.CreateProjectInput{
		Name: aws.String("site"), ServiceRole: aws.String("arn:aws:iam::123456789012:role/service-role/build"),
		Source:    &codebuildtypes.ProjectSource{Type: "GITHUB", Location: aws.String("https://bot:" + seedSecret + "@github.com/example/site.git")},
		Artifacts: &codebuildtypes.ProjectArtifacts{Type: "NO_ARTIFACTS"},
		Environment: &codebuildtypes.ProjectEnvironment{
			Type: "LINUX_CONTAINER", Image: aws.String("aws/codebuild/standard:7.0"), ComputeType: "BUILD_GENERAL1_SMALL", PrivilegedMode: aws.Bool(true),
			EnvironmentVariables: []codebuildtypes.EnvironmentVariable{{Name: aws.String("AWS_SECRET_ACCESS_KEY"), Value: aws.String(seedSecret)}},
		},
	}))
}

func seedIAM(s *seeder) {
	client, ctx := iam.NewFromConfig(s.config), s.Context()
	const all = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":true}}}}`
	const assume = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	policy := made(client.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("everything"), PolicyDocument: aws.String(all)})).Policy
	group := made(client.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: aws.String("admins")})).Group
	made(client.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{GroupName: group.GroupName, PolicyArn: policy.Arn}))
	for _, name := range []string{"alice", "bob"} {
		made(client.CreateUser(ctx, &iam.CreateUserInput{UserName: &name, Path: aws.String("/staff/")}))
	}
	made(client.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: group.GroupName, UserName: aws.String("alice")}))
	made(client.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: aws.String("bob"), PolicyName: aws.String("inline"), PolicyDocument: aws.String(all)}))
	made(client.CreateLoginProfile(ctx, &iam.CreateLoginProfileInput{UserName: aws.String("alice"), Password: aws.String(seedSecret)}))
	made(client.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("bob")}))
	made(client.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("machine"), AssumeRolePolicyDocument: aws.String(assume)}))
	made(client.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String("machine"), PolicyName: aws.String("inline"), PolicyDocument: aws.String(all)}))
	made(client.UpdateAccountPasswordPolicy(ctx, &iam.UpdateAccountPasswordPolicyInput{MinimumPasswordLength: aws.Int32(14), RequireNumbers: true, MaxPasswordAge: aws.Int32(90)}))
	body, key := certificate("old.example.com")
	made(client.UploadServerCertificate(ctx, &iam.UploadServerCertificateInput{
		ServerCertificateName: aws.String("old"), CertificateBody: aws.String(string(body)), PrivateKey: aws.String(string(key)),
	}))
	made(client.CreateSAMLProvider(ctx, &iam.CreateSAMLProviderInput{Name: aws.String("login"), SAMLMetadataDocument: aws.String(string(bytes.Repeat([]byte("a"), 1024)))}))
	device := made(client.CreateVirtualMFADevice(ctx, &iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: aws.String("phone")})).VirtualMFADevice
	made(client.EnableMFADevice(ctx, &iam.EnableMFADeviceInput{
		UserName: aws.String("alice"), SerialNumber: device.SerialNumber, AuthenticationCode1: aws.String("123456"), AuthenticationCode2: aws.String("654321"),
	}))
	made(client.CreateVirtualMFADevice(ctx, &iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: aws.String("drawer")}))
}

func seedKMS(s *seeder) {
	client := kms.NewFromConfig(s.config)
	key := made(client.CreateKey(s.Context(), &kms.CreateKeyInput{Description: aws.String("data")})).KeyMetadata
	made(client.EnableKeyRotation(s.Context(), &kms.EnableKeyRotationInput{KeyId: key.KeyId}))
	gone := made(client.CreateKey(s.Context(), &kms.CreateKeyInput{KeySpec: kmstypes.KeySpecRsa2048, KeyUsage: kmstypes.KeyUsageTypeSignVerify})).KeyMetadata
	made(client.ScheduleKeyDeletion(s.Context(), &kms.ScheduleKeyDeletionInput{KeyId: gone.KeyId, PendingWindowInDays: aws.Int32(7)}))
}

func seedRoute53(s *seeder) {
	client, ctx := route53.NewFromConfig(s.config), s.Context()
	zone := made(client.CreateHostedZone(ctx, &route53.CreateHostedZoneInput{Name: aws.String("example.com"), CallerReference: aws.String("a")})).HostedZone
	check := made(client.CreateHealthCheck(ctx, &route53.CreateHealthCheckInput{CallerReference: aws.String("b"), HealthCheckConfig: &route53types.HealthCheckConfig{
		Type: "HTTPS", FullyQualifiedDomainName: aws.String("shop.example.com"), Port: aws.Int32(443), ResourcePath: aws.String("/"),
	}})).HealthCheck
	set := func(name, kind, value, id string, weight int64) route53types.Change {
		r := &route53types.ResourceRecordSet{
			Name: &name, Type: route53types.RRType(kind), TTL: aws.Int64(300), ResourceRecords: []route53types.ResourceRecord{{Value: &value}},
		}
		if id != "" {
			r.SetIdentifier, r.Weight, r.HealthCheckId = &id, &weight, check.Id
		}
		return route53types.Change{Action: "CREATE", ResourceRecordSet: r}
	}
	made(client.ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{HostedZoneId: zone.Id, ChangeBatch: &route53types.ChangeBatch{Changes: []route53types.Change{
		set("shop.example.com", "A", "192.0.2.1", "blue", 1), set("shop.example.com", "A", "192.0.2.2", "green", 3),
		set("example.com", "MX", "10 mail.example.com", "", 0),
	}}}))
}

func seedSecretsManager(s *seeder) {
	client := secretsmanager.NewFromConfig(s.config)
	for _, name := range []string{"database", "gone"} {
		made(client.CreateSecret(s.Context(), &secretsmanager.CreateSecretInput{Name: &name, SecretString: aws.String(seedSecret)}))
	}
	made(client.DeleteSecret(s.Context(), &secretsmanager.DeleteSecretInput{SecretId: aws.String("gone")}))
}

func seedSES(s *seeder) {
	made(ses.NewFromConfig(s.config).VerifyEmailIdentity(s.Context(), &ses.VerifyEmailIdentityInput{EmailAddress: aws.String("desk@example.com")}))
}

func seedSNS(s *seeder) {
	client := sns.NewFromConfig(s.config)
	for _, name := range []string{"alarms", "orders"} {
		made(client.CreateTopic(s.Context(), &sns.CreateTopicInput{Name: &name}))
	}
}

func seedSQS(s *seeder) {
	client := sqs.NewFromConfig(s.config)
	made(client.CreateQueue(s.Context(), &sqs.CreateQueueInput{QueueName: aws.String("dead")}))
	made(client.CreateQueue(s.Context(), &sqs.CreateQueueInput{QueueName: aws.String("orders"), Attributes: map[string]string{
		"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:123456789012:dead","maxReceiveCount":3}`,
	}}))
}
