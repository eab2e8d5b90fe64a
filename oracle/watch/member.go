package watch

import (
	"cmp"
	"slices"
	"time"
)

// Trouble is something that was wrong with an endpoint's answers.
type Trouble struct {
	Kind   string    `json:"kind"` // a FaultKind, "lagging", "went_back", "wrong_chain", "untrue", "disagrees" or "head_final"
	Detail string    `json:"detail"`
	Count  int       `json:"count"`
	First  time.Time `json:"first"`
	Last   time.Time `json:"last"`
}

// EndpointStatus is what is known of one endpoint.
type EndpointStatus struct {
	Name     string    `json:"name"` // without what might be secret
	Current  bool      `json:"current"`
	Head     uint64    `json:"head"`
	Final    uint64    `json:"final"`
	Until    time.Time `json:"until,omitzero"` // put off until
	Troubles []Trouble `json:"troubles,omitempty"`
}

// Kinds of trouble that no single answer shows.
const (
	TroubleLagging    = "lagging"     // its head is behind what others have
	TroubleWentBack   = "went_back"   // its head was higher before
	TroubleWrongChain = "wrong_chain" // it serves another chain id
	TroubleUntrue     = "untrue"      // an answer contradicts others, or itself
	TroubleDisagrees  = "disagrees"   // it has another block at a height that others call final
	TroubleHeadFinal  = "head_final"  // it calls its newest block final
)

// remember is how long a trouble that does not come again is shown.
const remember = 30 * time.Second

// member is one endpoint of a Pool; the Pool's mutex guards it.
type member struct {
	name     string
	c        Client
	checked  bool // its chain id was right since it last failed
	until    time.Time
	failures int
	head     uint64
	headAt   time.Time // when the head was said
	gains    float64   // heights that it went on of late, and
	seconds  float64   // what it took for them: the chain's pace
	debt     float64   // heights that it went back and did not make up for
	most     float64   // that it ever was
	owes     time.Time // since when
	fell     time.Time // when it last went back so far
	final    uint64
	troubles map[string]*Trouble
}

func (m *member) trouble(kind, detail string, now time.Time) {
	t := m.troubles[kind]
	if t == nil || now.Sub(t.Last) > remember {
		t = &Trouble{Kind: kind, First: now}
		m.troubles[kind] = t
	}
	t.Detail, t.Last = detail, now
	t.Count++
}

// putOff leaves the endpoint alone for a while that doubles with each failure in a
// row, with jitter, and is never shorter than the endpoint asked for.
func (m *member) putOff(now time.Time, shortest, longest, asked time.Duration, jitter func(time.Duration) time.Duration) {
	d := longest
	if m.failures < 16 {
		d = min(d, shortest<<m.failures)
	}
	m.failures++
	m.until = now.Add(max(d*3/4+jitter(d/2+1), asked))
}

// moved takes down a new head. An endpoint that went back, further than behind allows, and
// then goes on at the chain's pace still lags, however far it comes: what it went back
// it has to make up for, in one jump as where several nodes are behind one name, or by
// and by as one that is syncing. As the pace is no more than a guess, that is held against
// it for two minutes at most. It gives how far it is behind by that.
func (m *member) moved(height uint64, now time.Time, behind uint64) uint64 {
	const smooth, longest = 0.1, 2 * time.Minute
	passed := now.Sub(m.headAt).Seconds()
	gained := float64(height) - float64(m.head)
	switch {
	case m.headAt.IsZero():
	case gained < -float64(behind):
		if m.debt == 0 {
			m.owes, m.most = now, 0
		}
		m.fell = now
		m.debt -= gained
		m.most = max(m.most, m.debt)
	case m.debt > 0 && gained != 0:
		beyond := gained
		if m.seconds > 0 {
			beyond -= m.gains / m.seconds * passed
		}
		m.debt = min(m.debt-beyond, m.most)
		if beyond > m.debt/2 || m.debt <= float64(behind) || m.seconds == 0 || now.Sub(m.owes) > longest {
			m.debt = 0
		}
	case gained != 0 && passed > 0 && now.Sub(m.fell) > remember:
		m.gains, m.seconds = m.gains*(1-smooth)+gained, m.seconds*(1-smooth)+passed
	}
	if gained != 0 || m.headAt.IsZero() {
		m.head, m.headAt = height, now
	}
	return uint64(m.debt)
}

func (m *member) status(now time.Time) EndpointStatus {
	s := EndpointStatus{Name: m.name, Head: m.head, Final: m.final}
	if m.until.After(now) {
		s.Until = m.until
	}
	for _, t := range m.troubles {
		if now.Sub(t.Last) <= remember {
			s.Troubles = append(s.Troubles, *t)
		}
	}
	slices.SortFunc(s.Troubles, func(a, b Trouble) int { return cmp.Compare(a.Kind, b.Kind) })
	return s
}
