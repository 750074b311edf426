// A lease of zdm for a Go process: what docs/applications.md asks of a client, in one file to copy.
//
//	lease, err := NewLease(os.Getenv("DATABASE_URL"), manifest, "42")
//	err = lease.Start()      // joins and renews in a goroutine of its own
//	if lease.Ready() { ... } // before each piece of work
//	lease.Leave()            // when the last statement is done
//
// PostgreSQL by lib/pq, MySQL and MariaDB by go-sql-driver.

package main

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"math"
	"math/rand"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/lib/pq"
)

const (
	askAgain      = time.Second      // between two questions while a gate decides, or something is missing
	firstPatience = 10 * time.Second // for one call while no lease says how much time there is
	leavePatience = 2 * time.Second
	forever       = time.Duration(math.MaxInt64)
)

var started = time.Now()

// now is a clock that goes on while the machine sleeps: on one that stops, as Go's own does on Linux, a lease looks fresh when
// it is long over.
func now() time.Duration {
	if text, err := os.ReadFile("/proc/uptime"); err == nil {
		seconds, err := strconv.ParseFloat(strings.Fields(string(text))[0], 64)
		if err == nil {
			return time.Duration(seconds * float64(time.Second))
		}
	}
	return time.Since(started)
}

// margin is what is left of a lease for the work that is under way at its deadline.
func margin(ttl time.Duration) time.Duration { return least(ttl/12, 5*time.Second) }

// patience is how long one call may take.
func patience(ttl time.Duration) time.Duration {
	if ttl/4 < time.Second/2 {
		return time.Second / 2
	}
	return least(ttl/4, firstPatience)
}

func least(a, b time.Duration) time.Duration {
	if a < b {
		return a
	}
	return b
}

func part(whole time.Duration, share float64) time.Duration { return time.Duration(float64(whole) * share) }

// Need is a migration without which the build cannot run: "expanded" or "migrated".
type Need struct{ Migration, Reached string }

// Manifest is what `zdm manifest` wrote.
type Manifest struct {
	Service   string
	Tolerates []string
	Needs     []Need
}

// Lease says whether this process may use the database.
type Lease struct {
	Manifest
	Version, Instance string
	JoinTimeout       time.Duration

	database *sql.DB
	engine   string
	ttl      time.Duration // of the goroutine alone
	failures int
	leaving  chan struct{}
	kept     chan struct{}

	mutex    sync.Mutex      // of what follows
	number   int64           // of the lease that is held, or was held last; 0: none
	deadline time.Duration   // on the clock of now(); 0: never joined
	reason   string          // why it has stopped, for good
	migrated map[string]bool // of those that need only be expanded: whether it is known to be migrated
}

// NewLease describes an instance; nothing is asked before Start.
func NewLease(address, manifest, version string) (*Lease, error) {
	read, err := readManifest(manifest)
	if err != nil {
		return nil, err
	}
	host, _ := os.Hostname()
	instance := fmt.Sprintf("%s-%d", host, os.Getpid())
	database, engine, err := openDatabase(address, "zdm:"+read.Service+"#"+instance)
	if err != nil {
		return nil, err
	}
	lease := &Lease{
		Manifest: read, Version: version, Instance: instance, JoinTimeout: time.Minute,
		database: database, engine: engine, migrated: map[string]bool{},
		leaving: make(chan struct{}), kept: make(chan struct{}),
	}
	for _, need := range read.Needs {
		if need.Reached == "expanded" {
			lease.migrated[need.Migration] = false
		}
	}
	return lease, nil
}

// Start begins to keep the lease.
func (l *Lease) Start() error {
	switch word := os.Getenv("ZDM_APP"); word {
	case "", "on":
		go l.keep()
	case "off": // for tests, and for the day on which zdm is the trouble: no gate sees this process
		for migration := range l.migrated {
			l.migrated[migration] = true
		}
		l.deadline = forever
		close(l.kept)
	default:
		return fmt.Errorf("ZDM_APP is %q: write off, or nothing", word)
	}
	return nil
}

// State is joining, serving, suspended or stopped, with the number of the lease, or the reason.
func (l *Lease) State() (state string, number int64, reason string) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	switch {
	case l.reason != "":
		return "stopped", l.number, l.reason
	case l.deadline == 0:
		return "joining", 0, ""
	case now() < l.deadline:
		return "serving", l.number, ""
	default:
		return "suspended", l.number, ""
	}
}

// Ready says whether work may begin at this very moment.
func (l *Lease) Ready() bool {
	state, _, _ := l.State()
	return state == "serving"
}

// ReadsNew says whether a migration that is needed from its expand on is complete, so that its new structure is to be read.
func (l *Lease) ReadsNew(migration string) bool {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	known, asked := l.migrated[migration]
	return known || !asked
}

// Leave ends the lease now, or, when the database cannot be told, lets it expire. The process is not ready from here on.
func (l *Lease) Leave() {
	l.stop("left")
	close(l.leaving)
	select {
	case <-l.kept:
	case <-time.After(leavePatience + time.Second):
	}
}

func (l *Lease) stop(reason string) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.reason == "" {
		l.reason = reason
	}
}

func (l *Lease) held() (number int64, deadline time.Duration, stopped bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.number, l.deadline, l.reason != ""
}

func (l *Lease) keep() {
	defer close(l.kept)
	begun := now()
	for {
		sent := now() // before the call: a gate waits from after its fence, so a deadline from the reply would not do
		pause, err := l.turn(sent)
		why := "the database is not ready for this build, or a gate is still deciding"
		if err != nil { // whatever it was, the deadline stands
			why = "could not join: " + err.Error()
			log.Printf("could not keep the lease: %v", err)
			l.failures++
			longest := least(time.Duration(100<<least(time.Duration(l.failures), 16))*time.Millisecond, patience(l.ttl))
			pause = part(longest, 0.05+0.95*rand.Float64())
		} else {
			l.failures = 0
		}
		if _, deadline, _ := l.held(); deadline == 0 && now() > begun+l.JoinTimeout {
			l.stop(fmt.Sprintf("after %v: %s", l.JoinTimeout, why))
		}
		if _, _, stopped := l.held(); stopped {
			break
		}
		select {
		case <-l.leaving:
		case <-time.After(pause):
		}
	}
	select {
	case <-l.leaving:
		if number, _, _ := l.held(); number != 0 {
			if err := l.leave(number); err != nil {
				log.Printf("could not leave, so the lease will expire: %v", err)
			}
		}
	default: // fenced, or never joined
	}
}

// turn is one call; it says how long to wait before the next.
func (l *Lease) turn(sent time.Duration) (time.Duration, error) {
	limit := firstPatience
	if l.ttl != 0 {
		limit = patience(l.ttl)
	}
	var outcome string
	var granted, ttl sql.NullInt64
	var detail sql.NullString
	number, deadline, _ := l.held()
	renews := number != 0 && now() < deadline
	var err error
	if renews {
		err = l.call(limit, "renew_v1", []any{number}, &outcome, &ttl, &detail)
	} else {
		about := []any{l.Service, l.Version, l.Instance, strings.Join(l.Tolerates, ","), l.needs(), "suspends"}
		err = l.call(limit, "join_v1", about, &outcome, &granted, &ttl, &detail)
		number = granted.Int64
	}
	if err != nil {
		return 0, err
	}
	switch outcome {
	case "joined", "renewed":
		return l.granted(sent, number, time.Duration(ttl.Int64)*time.Millisecond, !renews, limit)
	case "fenced":
		l.stop(refusal(detail.String))
		return 0, nil
	case "gone": // the lease was lost, say with a restored backup: join, and serve on until the deadline
		l.mutex.Lock()
		l.number = 0
		l.mutex.Unlock()
		return 0, nil
	case "fencing", "missing": // a gate decides, or the migration is not there yet
		if l.ttl == 0 {
			return askAgain, nil
		}
		return least(l.ttl/4, askAgain), nil
	default:
		return 0, fmt.Errorf("cannot understand the answer %q", outcome)
	}
}

func (l *Lease) granted(sent time.Duration, number int64, ttl time.Duration, joined bool, limit time.Duration) (time.Duration, error) {
	// A grant counts only with the answer which structure is to be read. While the lease holds, migrated stays so.
	for _, need := range l.Needs {
		if need.Reached != "expanded" || !joined && l.ReadsNew(need.Migration) {
			continue
		}
		var reached sql.NullString
		if err := l.call(limit, "reached_v1", []any{need.Migration}, &reached); err != nil {
			return 0, err
		}
		l.mutex.Lock()
		l.migrated[need.Migration] = reached.String == "migrated"
		l.mutex.Unlock()
	}
	deadline := sent + ttl - margin(ttl)
	if now() >= deadline { // the reply is older than what it grants
		return 0, nil
	}
	l.mutex.Lock()
	old := l.number
	l.number, l.deadline, l.ttl = number, deadline, ttl
	l.mutex.Unlock()
	if joined && old != 0 { // so that nobody takes this process for two
		if err := l.leave(old); err != nil {
			return 0, err
		}
	}
	return sent + part(ttl/4, 0.8+0.2*rand.Float64()) - now(), nil
}

func (l *Lease) leave(number int64) error {
	var outcome string
	return l.call(leavePatience, "leave_v1", []any{number}, &outcome)
}

func (l *Lease) needs() string {
	var items []string
	for _, need := range l.Needs {
		items = append(items, need.Migration+"="+need.Reached)
	}
	return strings.Join(items, ",")
}

// call is one statement, which commits by itself. After an error the connection is made anew.
func (l *Lease) call(limit time.Duration, function string, arguments []any, row ...any) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	var marks []string
	for i := range arguments {
		if l.engine == "postgres" {
			marks = append(marks, "$"+strconv.Itoa(i+1))
		} else {
			marks = append(marks, "?")
		}
	}
	statement := "SELECT * FROM zdm." + function + "(" + strings.Join(marks, ", ") + ")"
	if l.engine == "mysql" {
		statement = "CALL zdm_" + function + "(" + strings.Join(marks, ", ") + ")"
	}
	err := l.database.QueryRowContext(ctx, statement, arguments...).Scan(row...)
	if err != nil {
		// Another server may be the right one by now: no idle connection is used again.
		l.database.SetMaxIdleConns(0)
		l.database.SetMaxIdleConns(1)
	}
	return err
}

func refusal(detail string) string {
	kind, migration, _ := strings.Cut(detail, "=")
	if kind == "tolerate" {
		return "migration " + migration + " has been contracted, and this build does not tolerate it: deploy a newer build"
	}
	return "migration " + migration + " has been rolled back, and this build needs it: deploy an older build"
}

func readManifest(text string) (Manifest, error) {
	var manifest Manifest
	first := true
	for _, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || strings.HasPrefix(words[0], "#"):
		case first:
			if strings.Join(words, " ") != "zdm-manifest 1" {
				return manifest, fmt.Errorf("the manifest does not begin with \"zdm-manifest 1\"")
			}
			first = false
		case words[0] == "service" && len(words) == 2 && manifest.Service == "":
			manifest.Service = words[1]
		case words[0] == "tolerates" && len(words) == 2:
			manifest.Tolerates = append(manifest.Tolerates, words[1])
		case words[0] == "needs" && len(words) == 3 && (words[2] == "expanded" || words[2] == "migrated"):
			manifest.Needs = append(manifest.Needs, Need{words[1], words[2]})
		default:
			return manifest, fmt.Errorf("the manifest says what nobody knows: %s", line)
		}
	}
	if manifest.Service == "" {
		return manifest, fmt.Errorf("the manifest names no service")
	}
	return manifest, nil
}

// openDatabase gives the lease a connection of its own, which is made when it is needed.
func openDatabase(address, name string) (*sql.DB, string, error) {
	parsed, err := url.Parse(address)
	if err != nil {
		return nil, "", fmt.Errorf("the database's address cannot be read") // its text may hold a password
	}
	var database *sql.DB
	engine := "postgres"
	switch parsed.Scheme {
	case "postgres", "postgresql":
		query := parsed.Query()
		query.Set("application_name", name)
		query.Set("default_transaction_isolation", "read committed")
		parsed.RawQuery = query.Encode()
		connector, err := pq.NewConnector(parsed.String())
		if err != nil {
			return nil, "", err
		}
		connector.Dialer(patientDialer{})
		database = sql.OpenDB(connector)
	case "mysql", "mariadb":
		engine = "mysql"
		config := mysql.NewConfig()
		config.User = parsed.User.Username()
		config.Passwd, _ = parsed.User.Password()
		config.Net, config.Addr, config.DBName = "tcp", parsed.Host, strings.TrimPrefix(parsed.Path, "/")
		config.Timeout, config.ReadTimeout, config.WriteTimeout = firstPatience, firstPatience, firstPatience
		config.InterpolateParams = true // one way to the server and back
		if database, err = sql.Open("mysql", config.FormatDSN()); err != nil {
			return nil, "", err
		}
	default:
		return nil, "", fmt.Errorf("%q is not a database that zdm knows", parsed.Scheme)
	}
	database.SetMaxOpenConns(1)
	return database, engine, nil
}

// patientDialer makes connections that do not wait for ever: to give a statement up, lib/pq asks the server to end it, and
// waits for its answer, which a silent network never brings.
type patientDialer struct{}

func (patientDialer) Dial(network, address string) (net.Conn, error) {
	return patientDialer{}.DialTimeout(network, address, firstPatience)
}

func (patientDialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	conn, err := net.DialTimeout(network, address, timeout)
	return patientConn{conn}, err
}

func (patientDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return patientConn{conn}, nil
}

type patientConn struct{ net.Conn }

func (c patientConn) Read(bytes []byte) (int, error) {
	_ = c.SetReadDeadline(time.Now().Add(firstPatience))
	return c.Conn.Read(bytes)
}

func (c patientConn) Write(bytes []byte) (int, error) {
	_ = c.SetWriteDeadline(time.Now().Add(firstPatience))
	return c.Conn.Write(bytes)
}
