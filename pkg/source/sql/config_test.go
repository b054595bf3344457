package sql

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chartd/chartd/pkg/secret"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		change func(*Config)
		want   string // path: what
	}{
		{func(*Config) {}, ""},
		{func(c *Config) { c.DSN = "mysql://u@h/db"; c.Query = "SELECT 1 # :since" }, ""},
		{func(c *Config) { c.DSN = "mariadb:///db?socket=/run/mysqld/mysqld.sock&tls=skip-verify" }, ""},
		{func(c *Config) { c.DSN = "file:x.db?cache=shared" }, ""},
		{func(c *Config) { c.DSN = "" }, "dsn: is missing"},
		{func(c *Config) { c.DSN = "me:hunter2@tcp(host)/db" }, "dsn: does not begin with the name of a kind of database"},
		{func(c *Config) { c.DSN = "postgres:hunter2@host" }, "dsn: is no address"},
		{func(c *Config) { c.DSN = "postgres://u:hun#ter2@h/db" }, "dsn: is no address"},
		{func(c *Config) { c.DSN = "mysql://u:hunter2@h/db?timeout=hunter2" }, "dsn: has parameters that cannot be read"},
		{func(c *Config) { c.DSN = "sqlite:" }, "dsn: names no file"},
		{func(c *Config) { c.DSN = "sqlite::memory:" }, "dsn: names a database in memory"},
		{func(c *Config) { c.DSN = "file:x?mode=memory" }, "dsn: names a database in memory"},
		{func(c *Config) { c.Query = " \n" }, "query: is missing"},
		{func(c *Config) { c.Query = "SELECT 1; SELECT 2" }, "query: there is more than one statement"},
		{func(c *Config) { c.Query = "SELECT :from" }, "query: :from at character 8 stands for nothing"},
		{func(c *Config) { c.Interval = 1 }, "interval: 1ns is out of range"},
		{func(c *Config) { c.Timeout = 0 }, "timeout: 0 is out of range"},
		{func(c *Config) { c.Since = 0 }, "since: 0 is out of range"},
		{func(c *Config) { c.Overlap = -1 }, "overlap: -1ns is out of range"},
		{func(c *Config) { c.TimeFormat = "ms" }, `time_format: "ms" is no format of a time`},
		{func(c *Config) { c.TimeZone = "Mars/Base" }, `time_zone: there is no time zone "Mars/Base"`},
		{func(c *Config) { c.Labels = []string{"a", ""} }, "labels[1]: is empty"},
		{func(c *Config) { c.TimeColumn, c.Values = "a", []string{"a"} }, `values[0]: "a" is named by time_column, too`},
		{func(c *Config) { c.Metric = "" }, "metric: is empty"},
		{func(c *Config) { c.Metric, c.Values = "x", []string{"a", "b"} }, `metric: "x" gives every column the same metric`},
		{func(c *Config) { c.MaxRows = 0 }, "max_rows: 0 is out of range"},
	} {
		c := DefaultConfig()
		c.DSN, c.Query = "postgres://u:hunter2@h/db", "SELECT 1"
		tt.change(c)
		ps := c.Validate()
		switch {
		case tt.want == "" && len(ps) == 0:
			continue
		case len(ps) != 1 || tt.want == "" || !strings.HasPrefix(ps[0].Path+": "+ps[0].What, tt.want) || ps[0].Want == "":
			t.Errorf("got %v, want %s", ps, tt.want)
		case strings.Contains(fmt.Sprint(ps), "hunter2"):
			t.Errorf("%v shows the password", ps)
		}
	}
}

// TestDSN holds that what is special in an address reaches the driver, and what would be unsafe does not.
func TestDSN(t *testing.T) {
	t.Parallel()
	d, err := parseDSN("mysql://me:p%40ss%2Fw%23rd@db.example:3307/shop?multiStatements=true&allowAllFiles=true&loc=Local&parseTime=false&tls=preferred&sql_mode=ANSI")
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := d.mysql()
	if err != nil {
		t.Fatal(err)
	}
	if cfg.User != "me" || cfg.Passwd != "p@ss/w#rd" || cfg.Addr != "db.example:3307" || cfg.DBName != "shop" || cfg.TLSConfig != "preferred" || cfg.Params["sql_mode"] != "ANSI" {
		t.Errorf("%+v", cfg)
	}
	if cfg.MultiStatements || cfg.AllowAllFiles || !cfg.ParseTime || cfg.Loc != time.UTC {
		t.Errorf("%+v", cfg)
	}
	for text, want := range map[string]string{
		"sqlite:/var/lib/a b.db":         "file:/var/lib/a%20b.db?",
		"sqlite:///var/lib/x.db":         "file:/var/lib/x.db?",
		"sqlite:rel.db?mode=rwc":         "file:rel.db?",
		"file:/x.db?_pragma=writable(1)": "file:/x.db?",
	} {
		d, err := parseDSN(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got := d.sqlite("UTC")
		if !strings.HasPrefix(got, want) || !strings.Contains(got, "mode=ro") || !strings.Contains(got, "query_only%281%29") || strings.Contains(got, "rwc") || strings.Contains(got, "writable") {
			t.Errorf("%s is opened as %s", text, got)
		}
	}
	d, err = parseDSN("postgres://me:p%40ss@h/db?sslpassword=opensesame")
	if err != nil {
		t.Fatal(err)
	}
	said := scrub(fmt.Errorf("cannot use p@ss, p%%40ss, opensesame of %s", d.text), d.secrets())
	for _, s := range []string{"p@ss", "p%40ss", "opensesame"} {
		if strings.Contains(said.Error(), s) {
			t.Errorf("%v shows %s", said, s)
		}
	}
	if c := (Config{DSN: secret.Text(d.text)}); strings.Contains(fmt.Sprintf("%v %+v %#v", c, c, &c), "p%40ss") {
		t.Errorf("%+v shows its password", c)
	}
}
