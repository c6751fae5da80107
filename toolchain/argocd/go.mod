// Argo CD, of which the definitions of its resources are read; nothing is built of it.
module hearth.dev/toolchain/argocd

go 1.26.3

// Releases from v3.6 want Go 1.27.
require github.com/argoproj/argo-cd/v3 v3.5.7
