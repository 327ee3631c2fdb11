;; Logs a message of 8 MiB, all of it control characters, with a thousand fields of 4 KiB; a hundred times over.
(component
  (import "clockbox:job/log@0.1.0" (instance $log
    (type $level' (enum "trace" "debug" "info" "warn" "error"))
    (export "level" (type $level (eq $level')))
    (type $field' (record (field "key" string) (field "value" string)))
    (export "field" (type $field (eq $field')))
    (export "write" (func (param "level" $level) (param "message" string) (param "fields" (list $field))))))
  (core module $libc (memory (export "memory") 160))
  (core instance $libc (instantiate $libc))
  (core func $write (canon lower (func $log "write") (memory (core memory $libc "memory"))))
  (core module $guest
    (import "libc" "memory" (memory 160))
    (import "host" "write" (func $write (param i32 i32 i32 i32 i32)))
    ;; The fields at 64 KiB, 16 bytes each; the text from 128 KiB on.
    (func (export "run") (result i32) (local $i i32) (local $field i32)
      (memory.fill (i32.const 131072) (i32.const 1) (i32.const 8388608))
      (local.set $field (i32.const 65536))
      (loop $fields
        (i32.store (local.get $field) (i32.const 131072))
        (i32.store offset=4 (local.get $field) (i32.const 16))
        (i32.store offset=8 (local.get $field) (i32.const 131072))
        (i32.store offset=12 (local.get $field) (i32.const 4096))
        (local.set $field (i32.add (local.get $field) (i32.const 16)))
        (br_if $fields (i32.lt_u (local.get $field) (i32.const 81536))))
      (loop $again
        (call $write (i32.const 4) (i32.const 131072) (i32.const 8388608) (i32.const 65536) (i32.const 1000))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get $i) (i32.const 100))))
      (i32.const 0)))
  (core instance $guest (instantiate $guest
    (with "libc" (instance $libc))
    (with "host" (instance (export "write" (func $write))))))
  (func $run (result (result)) (canon lift (core func $guest "run")))
  (instance $command (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $command)))
