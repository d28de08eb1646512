package collect

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/pricing"
	"github.com/aws/aws-sdk-go-v2/service/pricing/types"
)

// Prices. A reader that meets something of which checks use the price calls
// wantPrice with the key that checks look it up by, as package price describes
// it. The price then comes with the inventory, before that of the table. Kinds
// that no check with prices uses ask for none, so that their collection does not
// depend on one more API.

// offer tells one price of the public price list from all others.
type offer struct {
	service string            // the code of the Price List API: AmazonEC2, AmazonRDS
	filters map[string]string // attributes of the product, all of them equal: instanceType, databaseEngine
	usage   string            // how the product's usagetype ends; empty: however it does
	unit    string            // of the price: Hrs, GB-Mo
}

// priceList is what a collection knows of the Price List API.
type priceList struct {
	turn  chan struct{} // has room for the one question at a time: the API takes few
	mu    sync.Mutex    // never held over a question
	asked map[string]bool
	spent time.Duration // on questions
	gone  bool          // it could not be reached, or took too long: it is not asked again
}

func newPriceList() *priceList {
	return &priceList{turn: make(chan struct{}, 1), asked: map[string]bool{}}
}

// first reports whether a key is to be asked for, and was not yet.
func (l *priceList) first(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone || l.asked[key] {
		return false
	}
	l.asked[key] = true
	return true
}

// left is how long the next question may take; nothing when there is to be none.
func (l *priceList) left() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone {
		return 0
	}
	return min(priceTimeout, priceBudget-l.spent)
}

// took notes how long a question was, and reports whether the list is gone by
// it: because it failed, or no time is left.
func (l *priceList) took(d time.Duration, failed bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.spent += d
	l.gone = failed || l.spent >= priceBudget
	return l.gone
}

// priceListKey is where a run keeps its priceList.
type priceListKey struct{}

// priceTimeout bounds a question: the table is there for what has no answer.
const priceTimeout = 15 * time.Second

// priceBudget bounds all questions of a collection together: readers wait for them.
const priceBudget = time.Minute

// wantPrice asks for a price, once in a collection for each key. What is not
// found, or has no single price, is left to the table; and so is everything when
// the API cannot be reached, which is logged and is no failure.
func (r *reader) wantPrice(ctx context.Context, key string, o offer) {
	made, _ := r.run.shared.LoadOrStore(priceListKey{}, newPriceList())
	list := made.(*priceList)
	if r.partition() != publicPartition || !list.first(key) { // other partitions have no such API, or no USD
		return
	}
	select {
	case list.turn <- struct{}{}:
		defer func() { <-list.turn }()
	case <-ctx.Done():
		return
	}
	left := list.left()
	if left <= 0 {
		return
	}
	asked := time.Now()
	usd, err := r.askPrice(ctx, left, o)
	if failed := err != nil && !errors.Is(err, errNoPrice); list.took(time.Since(asked), failed) {
		why := "the questions took too long"
		if failed {
			why = cause(err)
		}
		r.Log.LogAttrs(ctx, slog.LevelInfo, "prices are those of the table", slog.String("cause", why))
	}
	if err != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.prices[key] = usd
}

var errNoPrice = errors.New("the price list has not one price for it")

// pricingRegion has the Price List API. Its prices are those of all regions.
const pricingRegion = "us-east-1"

// priceProducts is how many products a question may find: it names one, of
// which there are a few variants at most.
const priceProducts = 100

func (r *reader) askPrice(ctx context.Context, left time.Duration, o offer) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	config := r.config.Copy()
	config.Region = pricingRegion
	client := pricing.NewFromConfig(config, func(o *pricing.Options) { o.RetryMaxAttempts = 2 })
	input := &pricing.GetProductsInput{ServiceCode: &o.service, FormatVersion: aws.String("aws_v1"), MaxResults: aws.Int32(priceProducts)}
	for _, field := range slices.Sorted(maps.Keys(o.filters)) {
		input.Filters = append(input.Filters, types.Filter{Type: types.FilterTypeTermMatch, Field: aws.String(field), Value: aws.String(o.filters[field])})
	}
	out, err := client.GetProducts(ctx, input)
	if err != nil {
		return 0, err
	}
	return o.price(out.PriceList)
}

// product is what is read of a product of the price list.
type product struct {
	Product struct {
		Attributes map[string]string `json:"attributes"`
	} `json:"product"`
	Terms struct {
		OnDemand map[string]struct {
			PriceDimensions map[string]priceDimension `json:"priceDimensions"`
		} `json:"OnDemand"`
	} `json:"terms"`
}

type priceDimension struct {
	Unit         string            `json:"unit"`
	BeginRange   string            `json:"beginRange"`
	PricePerUnit map[string]string `json:"pricePerUnit"`
}

// price returns the price that the products have in common. Products that were
// not asked for, other units, later tiers and what costs nothing do not count;
// neither does text that is not a product.
func (o offer) price(products []string) (float64, error) {
	found := map[float64]bool{}
	for _, text := range products {
		var p product
		if err := json.Unmarshal([]byte(text), &p); err != nil || !o.is(p.Product.Attributes) {
			continue
		}
		for _, term := range p.Terms.OnDemand {
			for _, d := range term.PriceDimensions {
				if usd, ok := o.usd(d); ok {
					found[usd] = true
				}
			}
		}
	}
	if len(found) != 1 {
		return 0, fmt.Errorf("%w: %d", errNoPrice, len(found))
	}
	for usd := range found {
		return usd, nil
	}
	return 0, errNoPrice
}

func (o offer) is(attributes map[string]string) bool {
	for field, want := range o.filters {
		if got, told := attributes[field]; told && got != want {
			return false
		}
	}
	return strings.HasSuffix(attributes["usagetype"], o.usage)
}

func (o offer) usd(d priceDimension) (float64, bool) {
	usd, err := strconv.ParseFloat(d.PricePerUnit["USD"], 64)
	first := cmp.Or(d.BeginRange, "0") == "0"
	return usd, err == nil && usd > 0 && usd < 1e6 && first && strings.EqualFold(d.Unit, o.unit)
}

// wantInstancePrice asks what an instance costs an hour that runs Linux.
func (r *reader) wantInstancePrice(ctx context.Context, instanceType string) {
	r.wantPrice(ctx, r.task.region+"/ec2/"+instanceType, offer{
		service: "AmazonEC2", unit: "Hrs",
		filters: map[string]string{
			"regionCode": r.task.region, "instanceType": instanceType, "operatingSystem": "Linux",
			"tenancy": "Shared", "preInstalledSw": "NA", "capacitystatus": "Used", "marketoption": "OnDemand",
		},
	})
}

// wantVolumePrices asks what a gigabyte of the volumes costs a month.
func (r *reader) wantVolumePrices(ctx context.Context, volumes []ec2types.Volume) {
	for _, v := range volumes {
		r.wantPrice(ctx, r.task.region+"/ebs/"+string(v.VolumeType), offer{
			service: "AmazonEC2", unit: "GB-Mo",
			filters: map[string]string{"regionCode": r.task.region, "productFamily": "Storage", "volumeApiName": string(v.VolumeType)},
		})
	}
}
