// Package child starts the lab's processes so that none outlives its parent.
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
// Start fails only if the first start fails, for example because the program is missing or the log is not writable. The
// end of ctx has the effect of Stop. Status, Tail, Restart and Done report on the child and control it. Spec.OnChange
// is called at every change. A restart waits 0.2 s at first, then twice as long each time up to 10 s, and again 0.2 s
// after a minute without a death.
//
// A short-lived command, or one that needs pipes, is an exec.Cmd that this package starts:
//
//	cmd := exec.CommandContext(ctx, "git", "upload-pack", repository)
//	err := child.Begin(cmd) // instead of cmd.Start(); then cmd.Wait() as usual
//	err := child.Run(cmd)   // instead of cmd.Run()
//
// On Linux every process gets SIGKILL when its parent dies in any way. It leads its own process group, and what remains
// of the group is killed after it. On other systems there is only the group, so the children of a killed parent may
// survive.
package child
