"""A run as pages: executed notebooks in order, results and search, in a folder that needs no network.

    python3 go.py site [RUN FOLDER]        or        python -m rednet_lab.publish.site [RUN FOLDER]

nbconvert turns each executed notebook into a page, with a template of our own, because its usual one fetches
mathematics, widgets and icons from three servers. Here TeX becomes MathML while the page is made (latex2mathml, pure
Python; every browser draws MathML by itself), widgets become still pictures or the players that stand beside them,
and the look is one style sheet. MathJax could be shipped beside the pages, but is megabytes of somebody else's files
and does nothing until a script has run; Jupyter Book's tools keep addresses of servers in what they make.

tex -> prose -> notebook (one page; the runner uses it too) -> build (the folder) -> check (links, addresses, TeX)
strip makes small copies of executed notebooks; colab writes the cell that fetches the course where it is missing.
"""
