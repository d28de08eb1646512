package desk_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supportd/supportd/internal/cases"
	"github.com/supportd/supportd/internal/desk"
)

// again is a store whose transactions fail when they are to become durable, and
// are tried again after what others did between.
type again struct {
	desk.Store
	between func()
}

func (a again) Update(ctx context.Context, scope string, f func(desk.Tx) error) error {
	lost := errors.New("lost")
	err := a.Store.Update(ctx, scope, func(tx desk.Tx) error {
		if err := f(tx); err != nil {
			return err
		}
		return lost
	})
	if !errors.Is(err, lost) {
		return err
	}
	a.between()
	return a.Store.Update(ctx, scope, f)
}

func TestWorkThatIsTriedAgainHappensOnce(t *testing.T) {
	t.Parallel()
	f := openFloor(t)
	ctx := t.Context()
	f.team(t, desk.Team{ID: "all", Routing: true})
	ann := f.hire(t, desk.Agent{Name: "ann", Role: desk.RoleLead, Teams: []string{"all"}, Capacity: 9})
	must[desk.Macro](t)(f.PutMacro(ctx, ann, desk.Macro{ID: "m", Name: "M", Body: "Hello {{name}}.", Note: "said it", AddTags: []string{"greeted"}}))
	id, other := f.open(t, retail, cases.NewCase{}), f.open(t, retail, cases.NewCase{})
	f.Store = again{f.Store, func() {}}
	f.mustRoute(t)
	must[desk.Replied](t)(f.Reply(ctx, ann, id, desk.NewReply{Body: "x", Files: []cases.File{{Name: "a.txt", Data: []byte("a")}}}))
	must[desk.Replied](t)(f.ApplyMacro(ctx, ann, id, "m", map[string]string{"name": "Jo"}))
	must[desk.Item](t)(f.Merge(ctx, ann, other, id))
	must[desk.Item](t)(f.Unmerge(ctx, ann, other))
	must[desk.Item](t)(f.ReplyFor(ctx, ann, id, "They called.", nil))
	want := map[string][]string{
		id: {
			"communication", "moved", "assigned", "communication", "moved", "note", "tagged", "communication", "merged-from", "unmerged-from",
			"communication", "moved", "replied-for",
		},
		other: {"communication", "moved", "assigned", "moved", "merged", "moved", "unmerged"},
	}
	for id, want := range want {
		var got []string
		for _, l := range must[[]desk.Line](t)(f.Timeline(ctx, ann, id)) {
			got = append(got, l.Event)
		}
		if diff := cmp.Diff(sorted(want), sorted(got)); diff != "" {
			t.Errorf("timeline of %s (-want +got):\n%s", id, diff)
		}
	}
}

func TestTextOfATokenIsThatOfTheTokenThatWasMade(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	jane := o.mustHire(t, "jane", desk.RoleAgent)
	jane.Once = desk.Repeatable{Key: "k", Hash: [32]byte{1}}
	create := func() (desk.Token, string, error) {
		return o.CreateToken(ctx, jane, jane.Agent.ID, desk.NewToken{Name: "mine"})
	}
	durable := o.Store
	var first desk.Token
	o.Store = again{durable, func() {
		o.Store = durable // as the same request does on another node
		var err error
		if first, _, err = create(); err != nil {
			t.Errorf("CreateToken() = %v", err)
		}
	}}
	_, text, err := create()
	if text != "" || !errors.Is(err, desk.ErrConflict) || !strings.Contains(err.Error(), first.ID) {
		t.Errorf("CreateToken() that lost to itself = text %q, %v, want ErrConflict that names %s", text, err, first.ID)
	}
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }
