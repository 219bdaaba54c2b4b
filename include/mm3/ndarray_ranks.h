/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* ndarray_ranks.h: what needs one line a rank, 1 to 16, for ndarray.h only. */
#ifndef MM3_NDARRAY_RANKS_H
#define MM3_NDARRAY_RANKS_H

/* [d1][d2]... in a declaration; the numbers of a descriptor; a[i][j]... without a check */
#define MM3_I_ND_DIMS1(d) [MM3_I_ND_DIM(d)]
#define MM3_I_ND_DIMS2(d, ...) [MM3_I_ND_DIM(d)] MM3_I_ND_DIMS1(__VA_ARGS__)
#define MM3_I_ND_DIMS3(d, ...) [MM3_I_ND_DIM(d)] MM3_I_ND_DIMS2(__VA_ARGS__)
#define MM3_I_ND_DIMS4(d, ...) [MM3_I_ND_DIM(d)] MM3_I_ND_DIMS3(__VA_ARGS__)
#define MM3_I_ND_DIMS5(d, ...) [MM3_I_ND_DIM(d)] MM3_I_ND_DIMS4(__VA_ARGS__)
#define MM3_I_ND_DIMS6(d, ...) [MM3_I_ND_DIM(d)] MM3_I_ND_DIMS5(__VA_ARGS__)
#define MM3_I_ND_DIMS7(d, ...) [MM3_I_ND_DIM(d)] MM3_I_ND_DIMS6(__VA_ARGS__)
#define MM3_I_ND_DIMS8(d, ...) [MM3_I_ND_DIM(d)] MM3_I_ND_DIMS7(__VA_ARGS__)
#define MM3_I_ND_DIMS9(d, ...) [MM3_I_ND_DIM(d)] MM3_I_ND_DIMS8(__VA_ARGS__)
#define MM3_I_ND_DIMS10(d, ...) [MM3_I_ND_DIM(d)] MM3_I_ND_DIMS9(__VA_ARGS__)
#define MM3_I_ND_DIMS11(d, ...) [MM3_I_ND_DIM(d)] MM3_I_ND_DIMS10(__VA_ARGS__)
#define MM3_I_ND_DIMS12(d, ...) [MM3_I_ND_DIM(d)] MM3_I_ND_DIMS11(__VA_ARGS__)
#define MM3_I_ND_DIMS13(d, ...) [MM3_I_ND_DIM(d)] MM3_I_ND_DIMS12(__VA_ARGS__)
#define MM3_I_ND_DIMS14(d, ...) [MM3_I_ND_DIM(d)] MM3_I_ND_DIMS13(__VA_ARGS__)
#define MM3_I_ND_DIMS15(d, ...) [MM3_I_ND_DIM(d)] MM3_I_ND_DIMS14(__VA_ARGS__)
#define MM3_I_ND_DIMS16(d, ...) [MM3_I_ND_DIM(d)] MM3_I_ND_DIMS15(__VA_ARGS__)
#define MM3_I_ND_ITEMS1(d) MM3_ITEM_NUMBER(d)
#define MM3_I_ND_ITEMS2(d, ...) MM3_ITEM_NUMBER(d), MM3_I_ND_ITEMS1(__VA_ARGS__)
#define MM3_I_ND_ITEMS3(d, ...) MM3_ITEM_NUMBER(d), MM3_I_ND_ITEMS2(__VA_ARGS__)
#define MM3_I_ND_ITEMS4(d, ...) MM3_ITEM_NUMBER(d), MM3_I_ND_ITEMS3(__VA_ARGS__)
#define MM3_I_ND_ITEMS5(d, ...) MM3_ITEM_NUMBER(d), MM3_I_ND_ITEMS4(__VA_ARGS__)
#define MM3_I_ND_ITEMS6(d, ...) MM3_ITEM_NUMBER(d), MM3_I_ND_ITEMS5(__VA_ARGS__)
#define MM3_I_ND_ITEMS7(d, ...) MM3_ITEM_NUMBER(d), MM3_I_ND_ITEMS6(__VA_ARGS__)
#define MM3_I_ND_ITEMS8(d, ...) MM3_ITEM_NUMBER(d), MM3_I_ND_ITEMS7(__VA_ARGS__)
#define MM3_I_ND_ITEMS9(d, ...) MM3_ITEM_NUMBER(d), MM3_I_ND_ITEMS8(__VA_ARGS__)
#define MM3_I_ND_ITEMS10(d, ...) MM3_ITEM_NUMBER(d), MM3_I_ND_ITEMS9(__VA_ARGS__)
#define MM3_I_ND_ITEMS11(d, ...) MM3_ITEM_NUMBER(d), MM3_I_ND_ITEMS10(__VA_ARGS__)
#define MM3_I_ND_ITEMS12(d, ...) MM3_ITEM_NUMBER(d), MM3_I_ND_ITEMS11(__VA_ARGS__)
#define MM3_I_ND_ITEMS13(d, ...) MM3_ITEM_NUMBER(d), MM3_I_ND_ITEMS12(__VA_ARGS__)
#define MM3_I_ND_ITEMS14(d, ...) MM3_ITEM_NUMBER(d), MM3_I_ND_ITEMS13(__VA_ARGS__)
#define MM3_I_ND_ITEMS15(d, ...) MM3_ITEM_NUMBER(d), MM3_I_ND_ITEMS14(__VA_ARGS__)
#define MM3_I_ND_ITEMS16(d, ...) MM3_ITEM_NUMBER(d), MM3_I_ND_ITEMS15(__VA_ARGS__)
#define MM3_I_ND_STEPS1(i) [i]
#define MM3_I_ND_STEPS2(i, ...) [i] MM3_I_ND_STEPS1(__VA_ARGS__)
#define MM3_I_ND_STEPS3(i, ...) [i] MM3_I_ND_STEPS2(__VA_ARGS__)
#define MM3_I_ND_STEPS4(i, ...) [i] MM3_I_ND_STEPS3(__VA_ARGS__)
#define MM3_I_ND_STEPS5(i, ...) [i] MM3_I_ND_STEPS4(__VA_ARGS__)
#define MM3_I_ND_STEPS6(i, ...) [i] MM3_I_ND_STEPS5(__VA_ARGS__)
#define MM3_I_ND_STEPS7(i, ...) [i] MM3_I_ND_STEPS6(__VA_ARGS__)
#define MM3_I_ND_STEPS8(i, ...) [i] MM3_I_ND_STEPS7(__VA_ARGS__)
#define MM3_I_ND_STEPS9(i, ...) [i] MM3_I_ND_STEPS8(__VA_ARGS__)
#define MM3_I_ND_STEPS10(i, ...) [i] MM3_I_ND_STEPS9(__VA_ARGS__)
#define MM3_I_ND_STEPS11(i, ...) [i] MM3_I_ND_STEPS10(__VA_ARGS__)
#define MM3_I_ND_STEPS12(i, ...) [i] MM3_I_ND_STEPS11(__VA_ARGS__)
#define MM3_I_ND_STEPS13(i, ...) [i] MM3_I_ND_STEPS12(__VA_ARGS__)
#define MM3_I_ND_STEPS14(i, ...) [i] MM3_I_ND_STEPS13(__VA_ARGS__)
#define MM3_I_ND_STEPS15(i, ...) [i] MM3_I_ND_STEPS14(__VA_ARGS__)
#define MM3_I_ND_STEPS16(i, ...) [i] MM3_I_ND_STEPS15(__VA_ARGS__)

/* [1]... up to sixteen axes; what follows a rank of N. */
#define MM3_I_ND_ONES16
#define MM3_I_ND_ONES15 MM3_I_ND_ONES16[1]
#define MM3_I_ND_ONES14 MM3_I_ND_ONES15[1]
#define MM3_I_ND_ONES13 MM3_I_ND_ONES14[1]
#define MM3_I_ND_ONES12 MM3_I_ND_ONES13[1]
#define MM3_I_ND_ONES11 MM3_I_ND_ONES12[1]
#define MM3_I_ND_ONES10 MM3_I_ND_ONES11[1]
#define MM3_I_ND_ONES9 MM3_I_ND_ONES10[1]
#define MM3_I_ND_ONES8 MM3_I_ND_ONES9[1]
#define MM3_I_ND_ONES7 MM3_I_ND_ONES8[1]
#define MM3_I_ND_ONES6 MM3_I_ND_ONES7[1]
#define MM3_I_ND_ONES5 MM3_I_ND_ONES6[1]
#define MM3_I_ND_ONES4 MM3_I_ND_ONES5[1]
#define MM3_I_ND_ONES3 MM3_I_ND_ONES4[1]
#define MM3_I_ND_ONES2 MM3_I_ND_ONES3[1]
#define MM3_I_ND_ONES1 MM3_I_ND_ONES2[1]

/* The extent of axis k, and all sixteen of them. */
#define MM3_I_ND_AXIS0(s) *(s)
#define MM3_I_ND_AXIS1(s) (*(s))[0]
#define MM3_I_ND_AXIS2(s) MM3_I_ND_AXIS1(s)[0]
#define MM3_I_ND_AXIS3(s) MM3_I_ND_AXIS2(s)[0]
#define MM3_I_ND_AXIS4(s) MM3_I_ND_AXIS3(s)[0]
#define MM3_I_ND_AXIS5(s) MM3_I_ND_AXIS4(s)[0]
#define MM3_I_ND_AXIS6(s) MM3_I_ND_AXIS5(s)[0]
#define MM3_I_ND_AXIS7(s) MM3_I_ND_AXIS6(s)[0]
#define MM3_I_ND_AXIS8(s) MM3_I_ND_AXIS7(s)[0]
#define MM3_I_ND_AXIS9(s) MM3_I_ND_AXIS8(s)[0]
#define MM3_I_ND_AXIS10(s) MM3_I_ND_AXIS9(s)[0]
#define MM3_I_ND_AXIS11(s) MM3_I_ND_AXIS10(s)[0]
#define MM3_I_ND_AXIS12(s) MM3_I_ND_AXIS11(s)[0]
#define MM3_I_ND_AXIS13(s) MM3_I_ND_AXIS12(s)[0]
#define MM3_I_ND_AXIS14(s) MM3_I_ND_AXIS13(s)[0]
#define MM3_I_ND_AXIS15(s) MM3_I_ND_AXIS14(s)[0]
#define MM3_I_ND_AXIS16(s) MM3_I_ND_AXIS15(s)[0]
#define MM3_I_ND_EXTENTS(s) \
  sizeof(MM3_I_ND_AXIS0(s)) / sizeof(MM3_I_ND_AXIS1(s)), sizeof(MM3_I_ND_AXIS1(s)) / sizeof(MM3_I_ND_AXIS2(s)), \
  sizeof(MM3_I_ND_AXIS2(s)) / sizeof(MM3_I_ND_AXIS3(s)), sizeof(MM3_I_ND_AXIS3(s)) / sizeof(MM3_I_ND_AXIS4(s)), \
  sizeof(MM3_I_ND_AXIS4(s)) / sizeof(MM3_I_ND_AXIS5(s)), sizeof(MM3_I_ND_AXIS5(s)) / sizeof(MM3_I_ND_AXIS6(s)), \
  sizeof(MM3_I_ND_AXIS6(s)) / sizeof(MM3_I_ND_AXIS7(s)), sizeof(MM3_I_ND_AXIS7(s)) / sizeof(MM3_I_ND_AXIS8(s)), \
  sizeof(MM3_I_ND_AXIS8(s)) / sizeof(MM3_I_ND_AXIS9(s)), sizeof(MM3_I_ND_AXIS9(s)) / sizeof(MM3_I_ND_AXIS10(s)), \
  sizeof(MM3_I_ND_AXIS10(s)) / sizeof(MM3_I_ND_AXIS11(s)), sizeof(MM3_I_ND_AXIS11(s)) / sizeof(MM3_I_ND_AXIS12(s)), \
  sizeof(MM3_I_ND_AXIS12(s)) / sizeof(MM3_I_ND_AXIS13(s)), sizeof(MM3_I_ND_AXIS13(s)) / sizeof(MM3_I_ND_AXIS14(s)), \
  sizeof(MM3_I_ND_AXIS14(s)) / sizeof(MM3_I_ND_AXIS15(s)), sizeof(MM3_I_ND_AXIS15(s)) / sizeof(MM3_I_ND_AXIS16(s))

/* The part of an array that k indices lead to, for sizeof and typeof. */
#define MM3_I_ND_PART0(a) (a)->at
#define MM3_I_ND_PART1(a) MM3_I_ND_PART0(a)[0]
#define MM3_I_ND_PART2(a) MM3_I_ND_PART1(a)[0]
#define MM3_I_ND_PART3(a) MM3_I_ND_PART2(a)[0]
#define MM3_I_ND_PART4(a) MM3_I_ND_PART3(a)[0]
#define MM3_I_ND_PART5(a) MM3_I_ND_PART4(a)[0]
#define MM3_I_ND_PART6(a) MM3_I_ND_PART5(a)[0]
#define MM3_I_ND_PART7(a) MM3_I_ND_PART6(a)[0]
#define MM3_I_ND_PART8(a) MM3_I_ND_PART7(a)[0]
#define MM3_I_ND_PART9(a) MM3_I_ND_PART8(a)[0]
#define MM3_I_ND_PART10(a) MM3_I_ND_PART9(a)[0]
#define MM3_I_ND_PART11(a) MM3_I_ND_PART10(a)[0]
#define MM3_I_ND_PART12(a) MM3_I_ND_PART11(a)[0]
#define MM3_I_ND_PART13(a) MM3_I_ND_PART12(a)[0]
#define MM3_I_ND_PART14(a) MM3_I_ND_PART13(a)[0]
#define MM3_I_ND_PART15(a) MM3_I_ND_PART14(a)[0]
#define MM3_I_ND_PART16(a) MM3_I_ND_PART15(a)[0]

/* How far into an array k indices lead, MM3_I_ND_BAD when one is too large: a compare with a constant each. */
#define MM3_I_ND_AT1(a, i) mm3_i_nd_next(0, (uint64_t)(i), MM3_I_ND_COUNT(a, 0, 1), sizeof(MM3_I_ND_PART1(a)))
#define MM3_I_ND_AT2(a, i1, i2) \
  mm3_i_nd_next(MM3_I_ND_AT1(a, i1), (uint64_t)(i2), MM3_I_ND_COUNT(a, 1, 2), sizeof(MM3_I_ND_PART2(a)))
#define MM3_I_ND_AT3(a, i1, i2, i3) \
  mm3_i_nd_next(MM3_I_ND_AT2(a, i1, i2), (uint64_t)(i3), MM3_I_ND_COUNT(a, 2, 3), sizeof(MM3_I_ND_PART3(a)))
#define MM3_I_ND_AT4(a, i1, i2, i3, i4) \
  mm3_i_nd_next(MM3_I_ND_AT3(a, i1, i2, i3), (uint64_t)(i4), MM3_I_ND_COUNT(a, 3, 4), sizeof(MM3_I_ND_PART4(a)))
#define MM3_I_ND_AT5(a, i1, i2, i3, i4, i5) \
  mm3_i_nd_next(MM3_I_ND_AT4(a, i1, i2, i3, i4), (uint64_t)(i5), MM3_I_ND_COUNT(a, 4, 5), sizeof(MM3_I_ND_PART5(a)))
#define MM3_I_ND_AT6(a, i1, i2, i3, i4, i5, i6) \
  mm3_i_nd_next(MM3_I_ND_AT5(a, i1, i2, i3, i4, i5), (uint64_t)(i6), MM3_I_ND_COUNT(a, 5, 6), sizeof(MM3_I_ND_PART6(a)))
#define MM3_I_ND_AT7(a, i1, i2, i3, i4, i5, i6, i7) \
  mm3_i_nd_next(MM3_I_ND_AT6(a, i1, i2, i3, i4, i5, i6), (uint64_t)(i7), MM3_I_ND_COUNT(a, 6, 7), sizeof(MM3_I_ND_PART7(a)))
#define MM3_I_ND_AT8(a, i1, i2, i3, i4, i5, i6, i7, i8) \
  mm3_i_nd_next(MM3_I_ND_AT7(a, i1, i2, i3, i4, i5, i6, i7), (uint64_t)(i8), MM3_I_ND_COUNT(a, 7, 8), sizeof(MM3_I_ND_PART8(a)))
#define MM3_I_ND_AT9(a, i1, i2, i3, i4, i5, i6, i7, i8, i9) \
  mm3_i_nd_next(MM3_I_ND_AT8(a, i1, i2, i3, i4, i5, i6, i7, i8), (uint64_t)(i9), MM3_I_ND_COUNT(a, 8, 9), sizeof(MM3_I_ND_PART9(a)))
#define MM3_I_ND_AT10(a, i1, i2, i3, i4, i5, i6, i7, i8, i9, i10) \
  mm3_i_nd_next(MM3_I_ND_AT9(a, i1, i2, i3, i4, i5, i6, i7, i8, i9), (uint64_t)(i10), MM3_I_ND_COUNT(a, 9, 10), sizeof(MM3_I_ND_PART10(a)))
#define MM3_I_ND_AT11(a, i1, i2, i3, i4, i5, i6, i7, i8, i9, i10, i11) \
  mm3_i_nd_next(MM3_I_ND_AT10(a, i1, i2, i3, i4, i5, i6, i7, i8, i9, i10), (uint64_t)(i11), MM3_I_ND_COUNT(a, 10, 11), sizeof(MM3_I_ND_PART11(a)))
#define MM3_I_ND_AT12(a, i1, i2, i3, i4, i5, i6, i7, i8, i9, i10, i11, i12) \
  mm3_i_nd_next(MM3_I_ND_AT11(a, i1, i2, i3, i4, i5, i6, i7, i8, i9, i10, i11), (uint64_t)(i12), MM3_I_ND_COUNT(a, 11, 12), sizeof(MM3_I_ND_PART12(a)))
#define MM3_I_ND_AT13(a, i1, i2, i3, i4, i5, i6, i7, i8, i9, i10, i11, i12, i13) \
  mm3_i_nd_next(MM3_I_ND_AT12(a, i1, i2, i3, i4, i5, i6, i7, i8, i9, i10, i11, i12), (uint64_t)(i13), MM3_I_ND_COUNT(a, 12, 13), sizeof(MM3_I_ND_PART13(a)))
#define MM3_I_ND_AT14(a, i1, i2, i3, i4, i5, i6, i7, i8, i9, i10, i11, i12, i13, i14) \
  mm3_i_nd_next(MM3_I_ND_AT13(a, i1, i2, i3, i4, i5, i6, i7, i8, i9, i10, i11, i12, i13), (uint64_t)(i14), MM3_I_ND_COUNT(a, 13, 14), sizeof(MM3_I_ND_PART14(a)))
#define MM3_I_ND_AT15(a, i1, i2, i3, i4, i5, i6, i7, i8, i9, i10, i11, i12, i13, i14, i15) \
  mm3_i_nd_next(MM3_I_ND_AT14(a, i1, i2, i3, i4, i5, i6, i7, i8, i9, i10, i11, i12, i13, i14), (uint64_t)(i15), MM3_I_ND_COUNT(a, 14, 15), sizeof(MM3_I_ND_PART15(a)))
#define MM3_I_ND_AT16(a, i1, i2, i3, i4, i5, i6, i7, i8, i9, i10, i11, i12, i13, i14, i15, i16) \
  mm3_i_nd_next(MM3_I_ND_AT15(a, i1, i2, i3, i4, i5, i6, i7, i8, i9, i10, i11, i12, i13, i14, i15), (uint64_t)(i16), MM3_I_ND_COUNT(a, 15, 16), sizeof(MM3_I_ND_PART16(a)))

#endif
