package collect

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticsearchservice"
	elasticsearchtypes "github.com/aws/aws-sdk-go-v2/service/elasticsearchservice/types"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/opensearch"
	opensearchtypes "github.com/aws/aws-sdk-go-v2/service/opensearch/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	redshifttypes "github.com/aws/aws-sdk-go-v2/service/redshift/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	s3controltypes "github.com/aws/aws-sdk-go-v2/service/s3control/types"
)

func (s *seeder) s3() *s3.Client {
	return s3.NewFromConfig(s.config, func(o *s3.Options) { o.UsePathStyle = true })
}

func seedBuckets(s *seeder, names ...string) {
	here := &s3types.CreateBucketConfiguration{LocationConstraint: recordedRegion}
	for _, name := range names {
		made(s.s3().CreateBucket(s.Context(), &s3.CreateBucketInput{Bucket: &name, CreateBucketConfiguration: here}))
	}
}

func seedS3(s *seeder) {
	client, ctx := s.s3(), s.Context()
	seedBuckets(s, "plain", "full", "logs")
	name := aws.String("full")
	made(client.PutBucketAcl(ctx, &s3.PutBucketAclInput{Bucket: name, ACL: s3types.BucketCannedACLPublicRead}))
	made(client.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: name, VersioningConfiguration: &s3types.VersioningConfiguration{Status: "Enabled"}}))
	made(client.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: name, Policy: aws.String(`{"Version":"2012-10-17","Statement":[
		{"Sid":"read","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::full/*"},
		{"Effect":"Deny","Principal":{"AWS":["arn:aws:iam::444455556666:root"]},"Action":["s3:PutObject","s3:DeleteObject"],"Resource":"arn:aws:s3:::full/*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`)}))
	made(client.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{Bucket: name, PublicAccessBlockConfiguration: &s3types.PublicAccessBlockConfiguration{BlockPublicAcls: aws.Bool(true)}}))
	made(client.PutBucketOwnershipControls(ctx, &s3.PutBucketOwnershipControlsInput{Bucket: name, OwnershipControls: &s3types.OwnershipControls{
		Rules: []s3types.OwnershipControlsRule{{ObjectOwnership: s3types.ObjectOwnershipBucketOwnerPreferred}},
	}}))
	made(client.PutBucketAcl(ctx, &s3.PutBucketAclInput{Bucket: aws.String("logs"), ACL: "log-delivery-write"}))
	made(client.PutBucketLogging(ctx, &s3.PutBucketLoggingInput{Bucket: name, BucketLoggingStatus: &s3types.BucketLoggingStatus{
		LoggingEnabled: &s3types.LoggingEnabled{TargetBucket: aws.String("logs"), TargetPrefix: aws.String("full/")},
	}}))
	made(client.PutBucketLifecycleConfiguration(ctx, &s3.PutBucketLifecycleConfigurationInput{Bucket: name, LifecycleConfiguration: &s3types.BucketLifecycleConfiguration{
		Rules: []s3types.LifecycleRule{{
			ID: aws.String("old"), Status: "Enabled", Filter: &s3types.LifecycleRuleFilter{Prefix: aws.String("")},
			AbortIncompleteMultipartUpload: &s3types.AbortIncompleteMultipartUpload{DaysAfterInitiation: aws.Int32(7)},
		}},
	}}))
	made(client.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{Bucket: name, ServerSideEncryptionConfiguration: &s3types.ServerSideEncryptionConfiguration{
		Rules: []s3types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: &s3types.ServerSideEncryptionByDefault{SSEAlgorithm: "AES256"}}},
	}}))
	seedSNS(s)
	made(client.PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{Bucket: name, NotificationConfiguration: &s3types.NotificationConfiguration{
		TopicConfigurations: []s3types.TopicConfiguration{{TopicArn: aws.String("arn:aws:sns:eu-west-1:123456789012:orders"), Events: []s3types.Event{"s3:ObjectCreated:*"}}},
	}}))
	made(client.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: aws.String("plain"), VersioningConfiguration: &s3types.VersioningConfiguration{Status: "Enabled"}}))
	made(client.PutBucketReplication(ctx, &s3.PutBucketReplicationInput{Bucket: name, ReplicationConfiguration: &s3types.ReplicationConfiguration{
		Role: aws.String("arn:aws:iam::123456789012:role/replication"),
		Rules: []s3types.ReplicationRule{{
			ID: aws.String("copy"), Status: "Enabled", Priority: aws.Int32(1), Filter: &s3types.ReplicationRuleFilter{Prefix: aws.String("")},
			Destination: &s3types.Destination{Bucket: aws.String("arn:aws:s3:::plain")}, DeleteMarkerReplication: &s3types.DeleteMarkerReplication{Status: "Disabled"},
		}},
	}}))
	control := s3control.NewFromConfig(s.config, func(o *s3control.Options) {
		o.EndpointResolverV2 = plainEndpoint(*o.BaseEndpoint)
		o.APIOptions = append(o.APIOptions, withoutHostPrefix)
	})
	made(control.PutPublicAccessBlock(ctx, &s3control.PutPublicAccessBlockInput{
		AccountId: aws.String("123456789012"), PublicAccessBlockConfiguration: &s3controltypes.PublicAccessBlockConfiguration{BlockPublicPolicy: aws.Bool(true)},
	}))
}

func seedDynamoDB(s *seeder) {
	client, ctx := dynamodb.NewFromConfig(s.config), s.Context()
	for _, name := range []string{"carts", "orders"} {
		made(client.CreateTable(ctx, &dynamodb.CreateTableInput{
			TableName: &name, BillingMode: dynamodbtypes.BillingModePayPerRequest,
			AttributeDefinitions: []dynamodbtypes.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: "S"}},
			KeySchema:            []dynamodbtypes.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: "HASH"}},
		}))
	}
	made(client.UpdateContinuousBackups(ctx, &dynamodb.UpdateContinuousBackupsInput{
		TableName: aws.String("orders"), PointInTimeRecoverySpecification: &dynamodbtypes.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(true)},
	}))
}

func seedEFS(s *seeder) {
	client, ctx := efs.NewFromConfig(s.config), s.Context()
	_, subnets := s.network()
	system := made(client.CreateFileSystem(ctx, &efs.CreateFileSystemInput{CreationToken: aws.String("a"), Encrypted: aws.Bool(true)})).FileSystemId
	made(client.CreateFileSystem(ctx, &efs.CreateFileSystemInput{CreationToken: aws.String("b")}))
	for _, subnet := range subnets {
		made(client.CreateMountTarget(ctx, &efs.CreateMountTargetInput{FileSystemId: system, SubnetId: &subnet}))
	}
	made(client.CreateAccessPoint(ctx, &efs.CreateAccessPointInput{ClientToken: aws.String("c"), FileSystemId: system}))
}

func seedElastiCache(s *seeder) {
	client, ctx := elasticache.NewFromConfig(s.config), s.Context()
	made(client.CreateCacheCluster(ctx, &elasticache.CreateCacheClusterInput{
		CacheClusterId: aws.String("sessions"), Engine: aws.String("memcached"), CacheNodeType: aws.String("cache.t3.micro"), NumCacheNodes: aws.Int32(1),
	}))
	made(client.CreateReplicationGroup(ctx, &elasticache.CreateReplicationGroupInput{
		ReplicationGroupId: aws.String("carts"), ReplicationGroupDescription: aws.String("carts"), Engine: aws.String("redis"), CacheNodeType: aws.String("cache.t3.micro"),
		NumCacheClusters: aws.Int32(2), AutomaticFailoverEnabled: aws.Bool(true), AtRestEncryptionEnabled: aws.Bool(true),
	}))
}

func seedElasticsearch(s *seeder) {
	made(elasticsearchservice.NewFromConfig(s.config).CreateElasticsearchDomain(s.Context(), &elasticsearchservice.CreateElasticsearchDomainInput{
		DomainName: aws.String("search"), ElasticsearchVersion: aws.String("7.10"),
		EBSOptions:              &elasticsearchtypes.EBSOptions{EBSEnabled: aws.Bool(true), VolumeSize: aws.Int32(10)},
		EncryptionAtRestOptions: &elasticsearchtypes.EncryptionAtRestOptions{Enabled: aws.Bool(true)},
	}))
}

func seedOpenSearch(s *seeder) {
	client := opensearch.NewFromConfig(s.config)
	for i := range domainsPerCall + 1 {
		made(client.CreateDomain(s.Context(), &opensearch.CreateDomainInput{
			DomainName: aws.String(fmt.Sprintf("search-%d", i)), EngineVersion: aws.String("OpenSearch_2.11"),
			ClusterConfig: &opensearchtypes.ClusterConfig{InstanceType: "t3.small.search", InstanceCount: aws.Int32(1)},
		}))
	}
}

func seedKinesis(s *seeder) {
	client := kinesis.NewFromConfig(s.config)
	// moto answers streams in pages of ten.
	for i := range 12 {
		made(client.CreateStream(s.Context(), &kinesis.CreateStreamInput{StreamName: aws.String(fmt.Sprintf("stream-%02d", i)), ShardCount: aws.Int32(1)}))
	}
}

func seedRDS(s *seeder) {
	client, ctx := rds.NewFromConfig(s.config), s.Context()
	made(client.CreateDBParameterGroup(ctx, &rds.CreateDBParameterGroupInput{
		DBParameterGroupName: aws.String("loud"), DBParameterGroupFamily: aws.String("postgres16"), Description: aws.String("loud"),
	}))
	made(client.ModifyDBParameterGroup(ctx, &rds.ModifyDBParameterGroupInput{DBParameterGroupName: aws.String("loud"), Parameters: []rdstypes.Parameter{
		{ParameterName: aws.String("log_statement"), ParameterValue: aws.String("all"), ApplyMethod: rdstypes.ApplyMethodImmediate},
	}}))
	for _, name := range []string{"orders", "replica-source"} {
		made(client.CreateDBInstance(ctx, &rds.CreateDBInstanceInput{
			DBInstanceIdentifier: &name, DBInstanceClass: aws.String("db.m5.large"), Engine: aws.String("postgres"), AllocatedStorage: aws.Int32(20), DBParameterGroupName: aws.String("loud"),
			MasterUsername: aws.String("root"), MasterUserPassword: aws.String(seedSecret), MultiAZ: aws.Bool(name == "orders"), BackupRetentionPeriod: aws.Int32(7),
		}))
	}
	made(client.CreateDBSnapshot(ctx, &rds.CreateDBSnapshotInput{DBInstanceIdentifier: aws.String("orders"), DBSnapshotIdentifier: aws.String("shared")}))
	made(client.ModifyDBSnapshotAttribute(ctx, &rds.ModifyDBSnapshotAttributeInput{
		DBSnapshotIdentifier: aws.String("shared"), AttributeName: aws.String("restore"), ValuesToAdd: []string{"444455556666"},
	}))
	made(client.CreateDBCluster(ctx, &rds.CreateDBClusterInput{
		DBClusterIdentifier: aws.String("ledger"), Engine: aws.String("aurora-postgresql"), MasterUsername: aws.String("root"), MasterUserPassword: aws.String(seedSecret),
	}))
	made(client.CreateDBClusterSnapshot(ctx, &rds.CreateDBClusterSnapshotInput{DBClusterIdentifier: aws.String("ledger"), DBClusterSnapshotIdentifier: aws.String("public")}))
	made(client.ModifyDBClusterSnapshotAttribute(ctx, &rds.ModifyDBClusterSnapshotAttributeInput{
		DBClusterSnapshotIdentifier: aws.String("public"), AttributeName: aws.String("restore"), ValuesToAdd: []string{"all"},
	}))
	made(client.CreateDBSecurityGroup(ctx, &rds.CreateDBSecurityGroupInput{DBSecurityGroupName: aws.String("classic"), DBSecurityGroupDescription: aws.String("classic")}))
	made(client.CreateEventSubscription(ctx, &rds.CreateEventSubscriptionInput{
		SubscriptionName: aws.String("failures"), SnsTopicArn: aws.String("arn:aws:sns:eu-west-1:123456789012:alarms"), SourceType: aws.String("db-instance"), EventCategories: []string{"failure"},
	}))
	s.measure("AWS/RDS", "DatabaseConnections", "DBInstanceIdentifier", "orders", map[time.Duration]float64{day: 5, day - time.Hour: 9, 10 * day: 3})
	s.measure("AWS/RDS", "DiskQueueDepth", "DBInstanceIdentifier", "orders", map[time.Duration]float64{day: 1, day - time.Hour: 2})
	s.measure("AWS/RDS", "FreeStorageSpace", "DBInstanceIdentifier", "orders", map[time.Duration]float64{2 * time.Hour: 5e9, 3 * time.Hour: 4e9})
	s.measure("AWS/RDS", "ReplicaLag", "DBInstanceIdentifier", "orders", map[time.Duration]float64{day: 12})
}

func seedRedshift(s *seeder) {
	client, ctx := redshift.NewFromConfig(s.config), s.Context()
	made(client.CreateClusterParameterGroup(ctx, &redshift.CreateClusterParameterGroupInput{
		ParameterGroupName: aws.String("strict"), ParameterGroupFamily: aws.String("redshift-1.0"), Description: aws.String("strict"),
	}))
	made(client.CreateCluster(ctx, &redshift.CreateClusterInput{
		ClusterIdentifier: aws.String("facts"), NodeType: aws.String("ra3.xlplus"), MasterUsername: aws.String("root"), MasterUserPassword: aws.String(seedSecret),
		ClusterParameterGroupName: aws.String("strict"), NumberOfNodes: aws.Int32(2), ClusterType: aws.String("multi-node"),
	}))
	seedBuckets(s, "audit")
	made(client.EnableLogging(ctx, &redshift.EnableLoggingInput{ClusterIdentifier: aws.String("facts"), BucketName: aws.String("audit"), LogDestinationType: redshifttypes.LogDestinationTypeS3}))
	s.measure("AWS/Redshift", "DatabaseConnections", "ClusterIdentifier", "facts", map[time.Duration]float64{day: 2, 5 * day: 1})
	s.measure("AWS/Redshift", "CPUUtilization", "ClusterIdentifier", "facts", map[time.Duration]float64{day: 3, 30 * time.Hour: 4.5})
}
