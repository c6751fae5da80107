// Package child starts the lab's processes so that none outlives the one that started it.
//
// A long-lived child that is restarted when it dies:
//
//	etcd, err := child.Start(ctx, child.Spec{
//		Name: "etcd",                       // names it in status and in its log
//		Path: lab.Programs["etcd"],         // absolute path
//		Args: []string{"--data-dir", dir},  // without argv[0]
//		Env:  append(os.Environ(), "A=b"),  // nil: this process's environment
//		Log:  lab.Path("logs", "etcd.log"), // stdout and stderr are appended; 10 MB, one older file kept
//		Restart: child.Always,              // Never (the default), OnFailure or Always
//	})
//	…
//	etcd.Stop() // SIGTERM, at most Spec.StopTimeout, then SIGKILL to its group; returns once it is gone
//
// Start fails only if the first start fails (a missing program, an unwritable log). The end of ctx is a Stop. Status,
// Tail (the last lines it logged), Restart and Done tell and steer the rest; Spec.OnChange is told of every change.
// Restarts wait 0.2 s, doubling to 10 s, and start over at 0.2 s after a minute without a death.
//
// A short-lived command, or one that needs pipes, is an exec.Cmd that goes through this package:
//
//	cmd := exec.CommandContext(ctx, "git", "upload-pack", repository)
//	err := child.Begin(cmd) // instead of cmd.Start(); then cmd.Wait() as usual
//	err := child.Run(cmd)   // instead of cmd.Run()
//
// On Linux every process gets SIGKILL when its parent dies however that happens, and leads a process group of its own,
// whose leftovers are killed after it. Elsewhere only the group is there, so a killed parent may leave children behind.
package child
