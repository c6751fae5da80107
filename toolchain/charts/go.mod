module hearth.dev/toolchain/charts

go 1.26

require github.com/cilium/cilium v1.20.2
