package sockettest

import "reflect"

// parallel is why a test cannot be told apart from those beside it; "" if it can, or if
// it is no [testing.T].
//
// The testing package says of no test whether it called t.Parallel, so this reads its
// own note of that, which Go 1.26 and 1.27 have.
func parallel(t TB) string {
	v := reflect.ValueOf(t)
	for name := t.Name(); v.Kind() == reflect.Pointer && !v.IsNil() && v.Elem().Kind() == reflect.Struct; {
		is, parent := v.Elem().FieldByName("isParallel"), v.Elem().FieldByName("parent")
		if !is.IsValid() || is.Kind() != reflect.Bool {
			return ""
		}
		if is.Bool() {
			return "sockettest: " + name + " runs beside other tests (t.Parallel), and sockets belong to the process: whose are left cannot be told.\n" +
				"Take t.Parallel away here and in the tests around, call Check in the parent of parallel subtests, or use sockettest.Main for the whole package."
		}
		if !parent.IsValid() {
			return ""
		}
		v = parent
	}
	return ""
}
