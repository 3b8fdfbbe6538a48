// Package chart writes the charts of glsnn's commands as SVG: Plot (lines with
// bands, points, histogram outlines), Bars, Heat, Raster and Mesh.
//
// A chart is a value; [Write] makes a file of it and [Inline] an element to put
// into an HTML page, whose style sheet then holds [CSS]. The same chart gives the
// same bytes everywhere. Charts follow the reader's light or dark setting, print
// in light, carry their title and description for screen readers, and tell series
// apart by mark as well as by colour. There are no scripts and no outside fonts.
//
// Numbers that are not finite are left out: a line is broken there, a bar is not
// drawn, a cell is left empty. A chart without any number says "no data".
//
// Reading order: Frame, Plot, Bars, Heat, Raster, Mesh; axis.go places numbers, canvas.go
// writes elements.
package chart
