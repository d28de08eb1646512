package advisor

import (
	"context"
	"io"
	"time"

	"github.com/supportd/supportd/internal/inventory"
)

// Source says where an account's resources come from: a file with an inventory,
// or an AWS account or another endpoint that speaks the APIs of AWS.
type Source struct {
	File string // an inventory; the other fields are then empty

	Endpoint        string   // of all services; empty: AWS's own
	Regions         []string // empty: all that the account has enabled; of an endpoint the one of the AWS configuration
	Role            string   // to assume, an ARN
	ExternalID      string   // for the role
	Profile         string   // of the shared configuration of the user who runs supportd
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string
}

// Collector reads accounts. It is implemented in the room collect.
type Collector interface {
	// Collect reads what is needed from a source that is not a file and writes
	// it to w as an inventory of the account, collected at now. A call that
	// fails is part of the inventory; an error means that there is none. An
	// account of "" is the one that the credentials belong to. ErrOtherAccount
	// says that the credentials are another account's than the one given. An
	// endpoint has one account for all credentials, or none: with one, what it
	// has is taken to be the account's.
	Collect(ctx context.Context, source Source, account string, now time.Time, needs inventory.Needs, w io.Writer) error
}
