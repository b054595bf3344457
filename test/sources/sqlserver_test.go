package sources

import (
	"bytes"
	stdsql "database/sql"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	_ "github.com/go-sql-driver/mysql" // the driver "mysql", for what a test writes
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/chartd/chartd/internal/livetest"
)

// sqlServer is a database server of a test, which can be ended and started again where it was.
type sqlServer struct {
	*process
	t      testing.TB
	addr   string
	dir    string
	begin  func() *exec.Cmd
	admin  *stdsql.DB
	scheme string // of its DSN
}

// serverDir makes a directory for a server that refuses to be root.
func serverDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "chartd-sql-") //nolint:usetesting // nobody else can enter what is above a TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if id := nobody(t); id != nil {
		if err := os.Chown(dir, int(id.Uid), int(id.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// nobody returns who a server is instead of root; nil if the test is not root either.
func nobody(t testing.TB) *syscall.Credential {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	who, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.ParseUint(who.Uid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.ParseUint(who.Gid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// command returns a command that is not run as root.
func (s *sqlServer) command(path string, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...) //nolint:gosec // of this test
	cmd.Dir, cmd.Env = s.dir, append(os.Environ(), "HOME="+s.dir, "LC_ALL=C.UTF-8", "TZ=Asia/Tokyo")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: nobody(s.t)}
	return cmd
}

func (s *sqlServer) run(path string, args ...string) {
	s.t.Helper()
	if out, err := s.command(path, args...).CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v: %s", path, err, bytes.TrimSpace(out))
	}
}

func (s *sqlServer) start() {
	s.t.Helper()
	s.process = launchCommand(s.t, s.addr, s.begin())
	livetest.Eventually(s.t, "the server answers", func() bool { return s.admin.PingContext(s.t.Context()) == nil })
}

// crash ends the server without giving it time to say goodbye.
func (s *sqlServer) crash() {
	if s.scheme == "postgres" {
		_ = s.cmd.Process.Signal(syscall.SIGQUIT) // at once, but with all of its processes
		<-s.done
		return
	}
	s.kill()
}

func (s *sqlServer) exec(query string, args ...any) {
	s.t.Helper()
	if _, err := s.admin.ExecContext(s.t.Context(), query, args...); err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
}

func (s *sqlServer) dsn(user, password, params string) string {
	return fmt.Sprintf("%s://%s:%s@%s/charts%s", s.scheme, user, password, s.addr, params)
}

// newPostgres prepares a PostgreSQL that is not started yet.
func newPostgres(t testing.TB) *sqlServer {
	t.Helper()
	bin := "" // Debian has a directory for each version
	if all, _ := filepath.Glob("/usr/lib/postgresql/*/bin"); len(all) > 0 {
		bin = all[len(all)-1] + "/"
	}
	s := &sqlServer{t: t, addr: address(t), dir: serverDir(t), scheme: "postgres"}
	postgres, initdb := program(t, bin+"postgres", "postgresql"), program(t, bin+"initdb", "postgresql")
	data := filepath.Join(s.dir, "data")
	s.run(initdb, "-D", data, "--no-sync", "-A", "trust", "-U", "admin", "-E", "UTF8", "--no-locale", "--no-instructions")
	hba := "host all reader 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n"
	if err := os.WriteFile(filepath.Join(data, "pg_hba.conf"), []byte(hba), 0o644); err != nil { //nolint:gosec // the server is somebody else
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(s.addr)
	s.begin = func() *exec.Cmd {
		return s.command(postgres, "-D", data, "-h", "127.0.0.1", "-p", port, "-c", "unix_socket_directories=", "-c", "fsync=off",
			"-c", "shared_preload_libraries=pg_stat_statements", "-c", "shared_buffers=16MB", "-c", "timezone=Asia/Tokyo")
	}
	s.open("pgx", "postgres://admin@"+s.addr+"/postgres")
	return s
}

// newPgBouncer starts a pool of two connections, of a transaction each, before a
// PostgreSQL, and returns where it is.
func newPgBouncer(t testing.TB, s *sqlServer) (addr string) {
	t.Helper()
	addr = address(t)
	_, port, _ := net.SplitHostPort(addr)
	_, behind, _ := net.SplitHostPort(s.addr)
	users, config := filepath.Join(s.dir, "users.txt"), filepath.Join(s.dir, "pgbouncer.ini")
	files := map[string]string{users: "\"reader\" \"hunter2\"\n"}
	files[config] = fmt.Sprintf(`[databases]
* = host=127.0.0.1 port=%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %s
unix_socket_dir =
auth_type = scram-sha-256
auth_file = %s
pool_mode = transaction
default_pool_size = 2
server_round_robin = 1
`, behind, port, users)
	for path, text := range files {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil { //nolint:gosec // the server is somebody else
			t.Fatal(err)
		}
	}
	launchCommand(t, addr, s.command(program(t, "pgbouncer", "pgbouncer"), config))
	return addr
}

// newMariaDB prepares a MariaDB that is not started yet.
func newMariaDB(t testing.TB) *sqlServer {
	t.Helper()
	s := &sqlServer{t: t, addr: address(t), dir: serverDir(t), scheme: "mysql"}
	mariadbd, install := program(t, "mariadbd", "mariadb-server"), program(t, "mariadb-install-db", "mariadb-server")
	data := filepath.Join(s.dir, "data")
	quick := []string{"--no-defaults", "--datadir=" + data, "--innodb-log-file-size=4M", "--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync", "--innodb-buffer-pool-size=16M", "--skip-log-bin"}
	s.run(install, append(quick, "--skip-test-db", "--auth-root-authentication-method=normal", "--skip-name-resolve")...)
	_, port, _ := net.SplitHostPort(s.addr)
	s.begin = func() *exec.Cmd {
		return s.command(mariadbd, append(quick, "--bind-address=127.0.0.1", "--port="+port, "--socket="+filepath.Join(s.dir, "sock"), "--pid-file="+filepath.Join(s.dir, "pid"),
			"--default-time-zone=+09:00", "--slow-query-log=1", "--long-query-time=0", "--log-output=TABLE", "--skip-name-resolve")...)
	}
	s.open("mysql", "root@tcp("+s.addr+")/mysql?parseTime=true&time_zone=%27%2B00:00%27")
	return s
}

func (s *sqlServer) open(driver, dsn string) {
	s.t.Helper()
	db, err := stdsql.Open(driver, dsn)
	if err != nil {
		s.t.Fatal(err)
	}
	db.SetMaxIdleConns(1)
	s.t.Cleanup(func() { _ = db.Close() })
	s.admin = db
}

// count returns what a query counts.
func (s *sqlServer) count(query string) (n int) {
	s.t.Helper()
	if err := s.admin.QueryRowContext(s.t.Context(), query).Scan(&n); err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
	return n
}

// isPostgres picks between what the two say.
func (s *sqlServer) isPostgres(yes, no string) string {
	if strings.HasPrefix(s.scheme, "postgres") {
		return yes
	}
	return no
}
