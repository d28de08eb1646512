// Package price knows public on-demand prices of AWS, from a small table of
// its own. A price that it does not have is unknown; nothing is guessed.
//
// Prices are USD by key, and keys are <region>/<service>/<name>:
//
//	<region>/ec2/<instance type>    an hour of an instance with Linux and shared tenancy
//	<region>/ec2/elastic-ip         an hour of a public IPv4 address, in use or not
//	<region>/ec2/nat-gateway        an hour of a NAT gateway, without the data
//	<region>/ec2/vpc-endpoint       an hour of an interface endpoint in one zone
//	<region>/ec2/vpn-connection     an hour of a Site-to-Site VPN connection
//	<region>/ebs/<volume type>      a gigabyte and month of a volume, without IOPS and throughput
//	<region>/ebs/snapshot           a gigabyte and month of a snapshot in the standard tier
//	<region>/ebs/<volume type>-iops a provisioned IOPS and month, of the first tier
//	<region>/elb/<classic|application|network|gateway>
//	                                an hour of a load balancer, without capacity units
//	<region>/rds/<class>/<engine>/<single-az|multi-az>
//	                                an hour of a DB instance; the engine as the RDS API names it
//	<region>/redshift/<node type>   an hour of a node
//	<region>/lambda/<gb-second|gb-second-arm64>
//	                                a gigabyte of memory for a second, of the first tier; without
//	                                the architecture that of x86
//
// The EC2 instances are those of the public price list of us-east-1 on the day
// of [AsOf], as karpenter-provider-aws 1.14.1 has generated it into
// pkg/providers/pricing/zz_generated.pricing_aws.go. The others were entered by
// hand, as the services' pricing pages have had them for us-east-1 for years; no
// generated list stands behind them. Other regions have no prices here: they come
// with inventories, from the Price List API, which collectors ask for EC2
// instances, EBS volumes and Classic Load Balancers only. The rest is known for
// us-east-1 alone, and checks say nothing of savings elsewhere.
package price

import (
	_ "embed"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"
)

// AsOf is the day of the EC2 instance prices in the table. The others were
// entered by hand and have no day.
func AsOf() time.Time { return time.Date(2026, time.July, 6, 0, 0, 0, 0, time.UTC) }

// table.txt has what keys begin with, and then the rest of each key and its
// price, on one line. Lines that begin with # are comments.
//
//go:embed table.txt
var table string

// Table returns all prices. The map is the caller's.
func Table() map[string]float64 { return maps.Clone(decoded()) }

var decoded = sync.OnceValue(func() map[string]float64 {
	prices, err := decode(table)
	if err != nil {
		panic("price: table.txt: " + err.Error())
	}
	return prices
})

func decode(text string) (map[string]float64, error) {
	prices := map[string]float64{}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] == "#" {
			continue
		}
		if len(fields)%2 == 0 {
			return nil, fmt.Errorf("%s: a name without a price", fields[0])
		}
		for i := 1; i < len(fields); i += 2 {
			key := fields[0] + fields[i]
			usd, err := strconv.ParseFloat(fields[i+1], 64)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
			if _, twice := prices[key]; twice {
				return nil, fmt.Errorf("%s: it is there twice", key)
			}
			prices[key] = usd
		}
	}
	return prices, nil
}
