package s3blob

// PartSize and WholeUpTo divide what is sent and read in one piece from what is
// not.
const (
	PartSize  = partSize
	WholeUpTo = wholeUpTo
)

// SetPage sets how many keys List asks for at once.
func (s *Store) SetPage(n int32) { s.page = n }
