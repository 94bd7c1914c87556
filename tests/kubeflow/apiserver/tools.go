// Package tools names what is built, so that the module's lock covers it.
package tools

import _ "k8s.io/kubernetes/cmd/kube-apiserver/app"
