// Package calendar is business time: when a desk is open in its time zone, with
// its holidays, and how much open time lies between two moments.
//
// It knows neither cases nor promises, and keeps nothing.
package calendar
