package sql

import (
	"cmp"
	"context"
	stdsql "database/sql"
	"errors"
	"net"
	"net/url"
	"slices"
	"strings"

	mysqldriver "github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // the driver "sqlite" of database/sql

	"github.com/chartd/chartd/pkg/secret"
)

// dsnWant is what a DSN looks like.
const dsnWant = "postgres://user:password@host/database, mysql://user:password@host/database, or sqlite:/path/to/file"

// dsn is where a database is.
type dsn struct {
	dialect dialect
	text    string   // as it was given
	url     *url.URL // nil for SQLite
	path    string   // of SQLite
	params  url.Values
}

// Errors of a DSN, which must not repeat it.
var (
	errNoScheme  = errors.New("does not begin with the name of a kind of database")
	errMalformed = errors.New("is no address; what is special in a password must be written as in a URL: %40 for @, %2F for /, %23 for #, %25 for %")
	errParams    = errors.New("has parameters that cannot be read")
	errNoPath    = errors.New("names no file")
	errMemory    = errors.New("names a database in memory, which would be empty")
)

// parseDSN takes a DSN apart. Its errors do not repeat it.
func parseDSN(text string) (dsn, error) {
	d := dsn{text: text}
	if text == "" {
		return d, nil // that it is missing is said by whoever needs it
	}
	scheme, rest, ok := strings.Cut(text, ":")
	if !ok {
		return d, errNoScheme
	}
	switch strings.ToLower(scheme) {
	case "postgres", "postgresql":
		d.dialect = postgres
	case "mysql", "mariadb":
		d.dialect = mysql
	case "sqlite", "sqlite3", "file":
		return parsePath(d, rest)
	default:
		return d, errNoScheme
	}
	if !strings.HasPrefix(rest, "//") {
		return d, errMalformed
	}
	var err error
	if d.url, err = url.Parse(text); err != nil {
		return d, errMalformed
	}
	if d.params, err = url.ParseQuery(d.url.RawQuery); err != nil {
		return d, errParams
	}
	if d.dialect == mysql {
		if _, err := d.mysql(); err != nil {
			return d, err
		}
	}
	return d, nil
}

func parsePath(d dsn, rest string) (dsn, error) {
	d.dialect = sqlite
	path, query, _ := strings.Cut(rest, "?")
	if after, ok := strings.CutPrefix(path, "//"); ok {
		path = after // sqlite:///abs/path; sqlite://rel/path is understood, too
	}
	var err error
	if d.path, err = url.PathUnescape(path); err != nil {
		return d, errMalformed
	}
	if d.params, err = url.ParseQuery(query); err != nil {
		return d, errParams
	}
	switch {
	case d.path == "":
		return d, errNoPath
	case d.path == ":memory:" || d.params.Get("mode") == "memory":
		return d, errMemory
	}
	return d, nil
}

// mysql returns what the driver wants. It opens nothing.
func (d *dsn) mysql() (*mysqldriver.Config, error) {
	base := mysqldriver.NewConfig()
	base.User = d.url.User.Username()
	base.Passwd, _ = d.url.User.Password()
	base.Net, base.Addr = "tcp", net.JoinHostPort(cmp.Or(d.url.Hostname(), "127.0.0.1"), cmp.Or(d.url.Port(), "3306"))
	base.DBName = strings.TrimPrefix(d.url.Path, "/")
	params := url.Values{}
	for name, values := range d.params {
		if name == "socket" || name == "unix_socket" {
			base.Net, base.Addr = "unix", values[0]
			continue
		}
		params[name] = values
	}
	text := base.FormatDSN()
	if len(params) > 0 {
		text, _, _ = strings.Cut(text, "?")
		text += "?" + params.Encode()
	}
	cfg, err := mysqldriver.ParseDSN(text)
	if err != nil {
		return nil, errParams
	}
	cfg.ParseTime, cfg.Loc = true, base.Loc
	cfg.MultiStatements, cfg.InterpolateParams, cfg.AllowAllFiles = false, false, false
	cfg.Logger = &mysqldriver.NopLogger{} // what it would say comes back as an error, too
	return cfg, nil
}

// sqlite returns what the driver wants: a file that is only read, and must be
// there.
func (d *dsn) sqlite(zone string) string {
	q := url.Values{}
	for name, values := range d.params {
		if !strings.HasPrefix(name, "_") {
			q[name] = values
		}
	}
	q.Set("mode", "ro")
	q.Set("_timezone", zone)
	// A writer may lock the file for a while; the fetch's own time bounds the wait.
	q["_pragma"] = []string{"query_only(1)", "busy_timeout(600000)"}
	return "file:" + (&url.URL{Path: d.path}).EscapedPath() + "?" + q.Encode()
}

// open returns a database that has one connection at most, and makes it when
// first asked. zone is where times without one are from.
func (d *dsn) open(zone string) (db *stdsql.DB, secrets []string, err error) {
	secrets = d.secrets()
	switch d.dialect {
	case postgres:
		cfg, err := pgx.ParseConfig(d.text)
		if err != nil {
			return nil, secrets, err
		}
		secrets = append(secrets, cfg.Password)
		if !d.params.Has("default_query_exec_mode") {
			// Nothing is left behind on the server that a pooler between, such as
			// PgBouncer, would hand to somebody else.
			cfg.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec
		}
		db = stdlib.OpenDB(*cfg)
	case mysql:
		cfg, err := d.mysql()
		if err != nil {
			return nil, secrets, err
		}
		connector, err := mysqldriver.NewConnector(cfg)
		if err != nil {
			return nil, secrets, err
		}
		db = stdsql.OpenDB(connector)
	default:
		if db, err = stdsql.Open("sqlite", d.sqlite(zone)); err != nil {
			return nil, secrets, err
		}
	}
	db.SetMaxOpenConns(1)
	db.SetMaxIdleConns(1)
	return db, secrets, nil
}

// secrets lists what nobody may see.
func (d *dsn) secrets() []string {
	if d.url == nil {
		return nil
	}
	var all []string
	if password, ok := d.url.User.Password(); ok {
		all = append(all, password)
		if raw, ok := strings.CutPrefix(d.url.User.String(), url.User(d.url.User.Username()).String()+":"); ok {
			all = append(all, raw)
		}
	}
	for name, values := range d.params {
		if lower := strings.ToLower(name); strings.Contains(lower, "pass") || strings.Contains(lower, "secret") || strings.Contains(lower, "token") {
			all = append(all, values...)
		}
	}
	return slices.DeleteFunc(append(all, d.text), func(s string) bool { return s == "" })
}

// scrub returns err without secrets; nil stays nil.
func scrub(err error, secrets []string) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	text := err.Error()
	if clean := secret.NewSet(secrets...).Scrub(text); clean != text {
		return errors.New(clean)
	}
	return err
}
