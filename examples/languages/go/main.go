// A worker that takes a piece of work whenever it may, and prints a line at each change of its state.
//
// DATABASE_URL, ZDM_MANIFEST (a file; default zdm-manifest), APP_VERSION
package main

import (
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// work would use the database: by statements that take no longer than the lease's margin, 5 s of a minute.
func work() {}

func shown(lease *Lease) []string {
	state, number, reason := lease.State()
	switch {
	case state == "stopped":
		return []string{"stopped: " + reason}
	case state != "serving":
		return []string{state}
	}
	lines := []string{"serving, without a lease"}
	if number != 0 {
		lines = []string{fmt.Sprintf("serving, lease %d", number)}
	}
	for _, need := range lease.Needs {
		if need.Reached == "expanded" {
			structure := "old"
			if lease.ReadsNew(need.Migration) {
				structure = "new"
			}
			lines = append(lines, need.Migration+": reads the "+structure+" structure")
		}
	}
	return lines
}

func contains(lines []string, wanted string) bool {
	for _, line := range lines {
		if line == wanted {
			return true
		}
	}
	return false
}

func orElse(name, other string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return other
}

func main() {
	log.SetFlags(0)
	manifest, err := os.ReadFile(orElse("ZDM_MANIFEST", "zdm-manifest"))
	if err != nil {
		log.Fatal(err)
	}
	lease, err := NewLease(os.Getenv("DATABASE_URL"), string(manifest), orElse("APP_VERSION", "unknown"))
	if err != nil {
		log.Fatal(err)
	}
	ending := make(chan os.Signal, 1)
	signal.Notify(ending, syscall.SIGTERM, syscall.SIGINT)
	if err := lease.Start(); err != nil {
		log.Fatal(err)
	}

	var told []string
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		lines := shown(lease)
		for _, line := range lines {
			if !contains(told, line) {
				fmt.Println(line)
			}
		}
		told = lines
		if state, _, reason := lease.State(); state == "stopped" {
			if reason == "left" {
				return
			}
			os.Exit(1)
		}
		if lease.Ready() {
			work()
		}
		select {
		case <-ending:
			lease.Leave()
		case <-tick.C:
		}
	}
}
