;; Appends "<run id> <attempt> begin" to the file `marks` in the first folder that it was granted, sleeps for as many
;; milliseconds as its arguments say, and appends "<run id> <attempt> end": each line in one write. Whatever fails traps.
(module
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get"
    (func $environ_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff"
    (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  ;; 0 a buffer's address and length, 8 a count, 16 a descriptor, 64 a subscription, 128 its event,
  ;; 512 the arguments, 1024 the line, 4096 the environment's addresses, 8192 its texts
  (data (i32.const 200) "marks")
  (data (i32.const 208) "CLOCKBOX_RUN_ID=")
  (data (i32.const 224) "CLOCKBOX_ATTEMPT=")
  (data (i32.const 248) " begin\n")
  (data (i32.const 256) " end\n")
  (global $end (mut i32) (i32.const 1024))

  (func $check (param $error i32)
    (if (local.get $error) (then (unreachable))))

  ;; The value of the variable whose name, up to its "=", has this address and length.
  (func $variable (param $name i32) (param $length i32) (result i32) (local $at i32) (local $i i32) (local $next i32)
    (local.set $next (i32.const 4096))
    (loop $variables
      (local.set $at (i32.load (local.get $next)))
      (if (i32.eqz (local.get $at)) (then (unreachable)))
      (local.set $next (i32.add (local.get $next) (i32.const 4)))
      (local.set $i (i32.const 0))
      (loop $letters
        (br_if $variables
          (i32.ne
            (i32.load8_u (i32.add (local.get $at) (local.get $i)))
            (i32.load8_u (i32.add (local.get $name) (local.get $i)))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $letters (i32.lt_u (local.get $i) (local.get $length)))))
    (i32.add (local.get $at) (local.get $length)))

  ;; Adds the text at an address, up to its NUL, to the line.
  (func $add (param $from i32)
    (loop $letters
      (if (i32.load8_u (local.get $from))
        (then
          (i32.store8 (global.get $end) (i32.load8_u (local.get $from)))
          (global.set $end (i32.add (global.get $end) (i32.const 1)))
          (local.set $from (i32.add (local.get $from) (i32.const 1)))
          (br $letters)))))

  ;; Writes "<run id> <attempt>" and this text.
  (func $mark (param $text i32)
    (global.set $end (i32.const 1024))
    (call $add (call $variable (i32.const 208) (i32.const 16)))
    (i32.store8 (global.get $end) (i32.const 32))
    (global.set $end (i32.add (global.get $end) (i32.const 1)))
    (call $add (call $variable (i32.const 224) (i32.const 17)))
    (call $add (local.get $text))
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (i32.sub (global.get $end) (i32.const 1024)))
    (call $check (call $fd_write (i32.load (i32.const 16)) (i32.const 0) (i32.const 1) (i32.const 8)))
    (if (i32.ne (i32.load (i32.const 8)) (i32.load (i32.const 4))) (then (unreachable))))

  ;; The number on stdin.
  (func $number (result i64) (local $sum i64) (local $at i32)
    (i32.store (i32.const 0) (i32.const 512))
    (i32.store (i32.const 4) (i32.const 20))
    (call $check (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (local.set $at (i32.const 512))
    (loop $digits
      (if (i32.lt_u (i32.sub (i32.load8_u (local.get $at)) (i32.const 48)) (i32.const 10))
        (then
          (local.set $sum
            (i64.add
              (i64.mul (local.get $sum) (i64.const 10))
              (i64.extend_i32_u (i32.sub (i32.load8_u (local.get $at)) (i32.const 48)))))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $digits))))
    (local.get $sum))

  (func (export "_start")
    (call $check (call $environ_get (i32.const 4096) (i32.const 8192)))
    ;; Descriptor 3, create (1), the right to write (64), append (1).
    (call $check
      (call $path_open (i32.const 3) (i32.const 0) (i32.const 200) (i32.const 5) (i32.const 1)
        (i64.const 64) (i64.const 0) (i32.const 1) (i32.const 16)))
    (call $mark (i32.const 248))
    ;; Clock 1 (monotonic) at 80, the timeout in nanoseconds at 88.
    (i32.store (i32.const 80) (i32.const 1))
    (i64.store (i32.const 88) (i64.mul (call $number) (i64.const 1_000_000)))
    (call $check (call $poll_oneoff (i32.const 64) (i32.const 128) (i32.const 1) (i32.const 8)))
    (call $mark (i32.const 256))))
