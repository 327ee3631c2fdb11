;; Asks for a TCP socket, a UDP socket and the address of a name: it fails when it is given none of them.
(component
  (import "wasi:sockets/network@0.2.0" (instance $network
    (export "network" (type (sub resource)))
    (type $error' (enum "unknown" "access-denied" "not-supported" "invalid-argument" "out-of-memory" "timeout"
      "concurrency-conflict" "not-in-progress" "would-block" "invalid-state" "new-socket-limit"
      "address-not-bindable" "address-in-use" "remote-unreachable" "connection-refused" "connection-reset"
      "connection-aborted" "datagram-too-large" "name-unresolvable" "temporary-resolver-failure"
      "permanent-resolver-failure"))
    (export "error-code" (type (eq $error')))
    (type $family' (enum "ipv4" "ipv6"))
    (export "ip-address-family" (type (eq $family')))))
  (alias export $network "network" (type $network-type))
  (alias export $network "error-code" (type $error))
  (alias export $network "ip-address-family" (type $family))
  (import "wasi:sockets/instance-network@0.2.0" (instance $instance
    (alias outer 1 $network-type (type $network'))
    (export "network" (type $network (eq $network')))
    (export "instance-network" (func (result (own $network))))))
  (import "wasi:sockets/tcp@0.2.0" (instance $tcp (export "tcp-socket" (type (sub resource)))))
  (alias export $tcp "tcp-socket" (type $tcp-socket))
  (import "wasi:sockets/tcp-create-socket@0.2.0" (instance $create-tcp
    (alias outer 1 $error (type $error'))
    (export "error-code" (type $error (eq $error')))
    (alias outer 1 $family (type $family'))
    (export "ip-address-family" (type $family (eq $family')))
    (alias outer 1 $tcp-socket (type $socket'))
    (export "tcp-socket" (type $socket (eq $socket')))
    (export "create-tcp-socket"
      (func (param "address-family" $family) (result (result (own $socket) (error $error)))))))
  (import "wasi:sockets/udp@0.2.0" (instance $udp (export "udp-socket" (type (sub resource)))))
  (alias export $udp "udp-socket" (type $udp-socket))
  (import "wasi:sockets/udp-create-socket@0.2.0" (instance $create-udp
    (alias outer 1 $error (type $error'))
    (export "error-code" (type $error (eq $error')))
    (alias outer 1 $family (type $family'))
    (export "ip-address-family" (type $family (eq $family')))
    (alias outer 1 $udp-socket (type $socket'))
    (export "udp-socket" (type $socket (eq $socket')))
    (export "create-udp-socket"
      (func (param "address-family" $family) (result (result (own $socket) (error $error)))))))
  (import "wasi:sockets/ip-name-lookup@0.2.0" (instance $lookup
    (alias outer 1 $network-type (type $network'))
    (export "network" (type $network (eq $network')))
    (alias outer 1 $error (type $error'))
    (export "error-code" (type $error (eq $error')))
    (export "resolve-address-stream" (type $stream (sub resource)))
    (export "resolve-addresses" (func (param "network" (borrow $network)) (param "name" string)
      (result (result (own $stream) (error $error)))))))
  (core module $libc
    (memory (export "memory") 1)
    (data (i32.const 1024) "localhost"))
  (core instance $libc (instantiate $libc))
  (core func $network (canon lower (func $instance "instance-network")))
  (core func $tcp (canon lower (func $create-tcp "create-tcp-socket") (memory (core memory $libc "memory"))))
  (core func $udp (canon lower (func $create-udp "create-udp-socket") (memory (core memory $libc "memory"))))
  (core func $lookup (canon lower (func $lookup "resolve-addresses") (memory (core memory $libc "memory"))))
  (core module $guest
    (import "libc" "memory" (memory 1))
    (import "host" "network" (func $network (result i32)))
    (import "host" "tcp" (func $tcp (param i32 i32)))
    (import "host" "udp" (func $udp (param i32 i32)))
    (import "host" "lookup" (func $lookup (param i32 i32 i32 i32)))
    (func (export "run") (result i32)
      (call $tcp (i32.const 0) (i32.const 0))
      (call $udp (i32.const 0) (i32.const 16))
      (call $lookup (call $network) (i32.const 1024) (i32.const 9) (i32.const 32))
      ;; Anything that was given is a success.
      (i32.and (i32.load8_u (i32.const 0)) (i32.and (i32.load8_u (i32.const 16)) (i32.load8_u (i32.const 32))))))
  (core instance $guest (instantiate $guest
    (with "libc" (instance $libc))
    (with "host" (instance
      (export "network" (func $network))
      (export "tcp" (func $tcp))
      (export "udp" (func $udp))
      (export "lookup" (func $lookup))))))
  (func $run (result (result)) (canon lift (core func $guest "run")))
  (instance $command (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $command)))
