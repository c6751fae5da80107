// Package proctree reads facts of running processes: who listens where, and how much memory a tree of them uses.
package proctree
