;; Sums over columns of bytes, sixteen rows at a time.
(module
  (import "columns" "memory" (memory 0))

  ;; Adds weight * column[row] to sums[row], i16, for `rows` rows: a multiple of 16.
  (func (export "add") (param $column i32) (param $weight i32) (param $sums i32) (param $rows i32)
    (local $weights v128) (local $bytes v128) (local $end i32)
    (local.set $weights (i8x16.splat (local.get $weight)))
    (local.set $end (i32.add (local.get $column) (local.get $rows)))
    (loop $next
      (local.set $bytes (v128.load (local.get $column)))
      (v128.store (local.get $sums)
        (i16x8.add (v128.load (local.get $sums))
          (i16x8.extmul_low_i8x16_s (local.get $bytes) (local.get $weights))))
      (v128.store offset=16 (local.get $sums)
        (i16x8.add (v128.load offset=16 (local.get $sums))
          (i16x8.extmul_high_i8x16_s (local.get $bytes) (local.get $weights))))
      (local.set $sums (i32.add (local.get $sums) (i32.const 32)))
      (br_if $next (i32.lt_u (local.tee $column (i32.add (local.get $column) (i32.const 16))) (local.get $end)))))

  ;; Writes the rows with sums above `least`, i16 each, and tells how many there are. `rows` is a multiple of 8.
  (func (export "above") (param $sums i32) (param $rows i32) (param $least i32) (param $found i32) (result i32)
    (local $leasts v128) (local $row i32) (local $bits i32) (local $at i32)
    (local.set $leasts (i16x8.splat (local.get $least)))
    (local.set $at (local.get $found))
    (loop $next
      (local.set $bits (i16x8.bitmask (i16x8.gt_s
        (v128.load (i32.add (local.get $sums) (i32.shl (local.get $row) (i32.const 1)))) (local.get $leasts))))
      (block $none
        (loop $bit
          (br_if $none (i32.eqz (local.get $bits)))
          (i32.store16 (local.get $at) (i32.add (local.get $row) (i32.ctz (local.get $bits))))
          (local.set $at (i32.add (local.get $at) (i32.const 2)))
          (local.set $bits (i32.and (local.get $bits) (i32.sub (local.get $bits) (i32.const 1))))
          (br $bit)))
      (br_if $next (i32.lt_u (local.tee $row (i32.add (local.get $row) (i32.const 8))) (local.get $rows))))
    (i32.shr_u (i32.sub (local.get $at) (local.get $found)) (i32.const 1))))
