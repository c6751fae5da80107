// Package proctree looks at running processes: who listens where, and how much memory a tree of them takes.
package proctree
